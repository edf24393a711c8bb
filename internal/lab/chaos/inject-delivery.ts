/**
 * Injects the faults of the sender and its recipient, as inject.ts does those of the
 * intake. The run (delivery-run.ts) restarts what a fault has ended.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../programs/eventually.js'
import { signal } from '../programs/processes.js'
import type { ClusterProgram } from './cluster-program.js'
import type { DatabaseProxy } from './database-proxy.js'
import type { DeliveryFaultKind } from './faults.js'
import type { PlannedFault } from './plan.js'
import type { Recipient } from './recipient.js'
import type { RecipientProxy, RecipientTrouble } from './recipient-proxy.js'

export interface DeliverySystems {
  readonly sender: ClusterProgram
  readonly senderDatabaseProxy: DatabaseProxy
  readonly recipient: Recipient
  readonly recipientProxy: RecipientProxy
  readonly onWrong: (text: string) => void
  readonly onNoted: (what: string) => void
}

/** Begins the fault, waits for its time, ends it. */
type Injector = (systems: DeliverySystems, fault: PlannedFault) => Promise<void>

/** When the wanted moment does not come within this time, strike anyway. */
const MOMENT_WAIT_MS = 3_000
const RETRY_AFTER_S = 1
const LOST_ANSWERS = 0.5

export const DELIVERY_INJECTORS: Readonly<Record<DeliveryFaultKind, Injector>> = {
  'sender-worker-kill': async ({ sender }, { draw }) => {
    const pid = await sender.pickWorker(draw)
    if (pid !== null) sender.killWorker(pid)
  },
  'sender-workers-kill-at-post': killAllAt(
    'times when all were killed and a POST had left',
    ({ recipientProxy }, strike) => {
      recipientProxy.onPost = strike
    }
  ),
  'sender-workers-kill-at-commit': killAllAt(
    'times when all were killed at a COMMIT',
    ({ senderDatabaseProxy }, strike) => {
      senderDatabaseProxy.onCommit = strike
    }
  ),
  'sender-primary-kill': ({ sender }) => sender.killPrimary(),
  'sender-worker-stop': stopWorker,
  'sender-worker-stop-long': stopWorker,
  'sender-term': async ({ sender, onWrong }) => {
    sender.signalPrimary('SIGTERM')
    const end = await sender.whenEnded()
    if (end !== null && end !== 0) onWrong(`the sender ended with ${end} after SIGTERM`)
  },

  'recipient-kill': async ({ recipient, recipientProxy }, { forMs }) => {
    await recipient.kill()
    await delay(forMs)
    await recipient.startAgain()
    recipientProxy.targetPort = recipient.port
  },
  'recipient-500': trouble({ kind: 'status', status: 500, retryAfterS: null }),
  'recipient-503': trouble({ kind: 'status', status: 503, retryAfterS: RETRY_AFTER_S }),
  'recipient-hang': trouble({ kind: 'hang' }),
  'recipient-reset': trouble({ kind: 'reset' }),
  'recipient-lost-answers': trouble({ kind: 'lost-answers', share: LOST_ANSWERS })
}

/** Kills all workers, because `listen` does not say which worker's moment it is. */
function killAllAt(
  what: string,
  listen: (systems: DeliverySystems, strike: (() => void) | null) => void
): Injector {
  return async systems => {
    const { sender, onNoted } = systems
    let isDone = false
    const strike = (): void => {
      for (const pid of sender.workers) sender.killWorker(pid)
      isDone = true
    }
    listen(systems, strike)
    const took = await eventually(() => isDone, MOMENT_WAIT_MS)
    listen(systems, null)
    if (took === null) strike()
    else onNoted(what)
  }
}

async function stopWorker(
  { sender }: DeliverySystems,
  { draw, forMs }: PlannedFault
): Promise<void> {
  const pid = await sender.pickWorker(draw)
  if (pid === null) return
  signal(pid, 'SIGSTOP')
  await delay(forMs)
  signal(pid, 'SIGCONT')
}

function trouble(kind: RecipientTrouble): Injector {
  return async ({ recipientProxy }, { forMs }) => {
    recipientProxy.trouble = kind
    if (kind.kind === 'reset') recipientProxy.resetAll()
    await delay(forMs)
    recipientProxy.trouble = null
  }
}
