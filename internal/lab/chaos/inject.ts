/**
 * Injects the faults of the intake. Faults of the database connections strike the sender
 * too. One function per kind begins the fault and resolves with a function that ends it.
 * The end cleans up even when processes have died in between.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { signal } from '../programs/processes.js'
import type { ClusterProgram } from './cluster-program.js'
import { type ChaosDatabase, OUR_SESSIONS, STORE_SESSION, type StopMode } from './database.js'
import type { Cut, DatabaseProxy } from './database-proxy.js'
import type { IntakeFaultKind } from './faults.js'
import type { PlannedFault } from './plan.js'
import type { QueueProxy } from './queue-proxy.js'
import type { Trouble } from './queue-trouble.js'

export interface Systems {
  readonly database: ChaosDatabase
  /** The processor's proxy: every COMMIT on it is the processor's. */
  readonly databaseProxy: DatabaseProxy
  readonly senderDatabaseProxy: DatabaseProxy
  readonly queueProxy: QueueProxy
  readonly processor: ClusterProgram
  readonly onWrong: (text: string) => void
  /** Counts further facts for the report. */
  readonly onNoted: (what: string) => void
}

type End = () => Promise<void> | void
type Injector = (systems: Systems, fault: PlannedFault) => Promise<End> | End

const nothing: End = () => undefined
const READ_ONLY = 'ALTER SYSTEM SET default_transaction_read_only = on'
const READ_WRITE = 'ALTER SYSTEM SET default_transaction_read_only = off'
const CATCH_TRIES = 30
/**
 * The transaction of a stopped worker stays idle this long. That of a running worker does
 * not, given the latency set meanwhile.
 */
const STILL_MS = 150
const CATCH_LATENCY_MS = 20
const CONNECTION_LATENCY_MS = 200
const MAX_CUT_AT = 12
const COMMITS_CUT = 4
const LOST_ANSWERS = 0.5
const FAILING_ENTRIES = 1 / 3

export const INJECTORS: Readonly<Record<IntakeFaultKind, Injector>> = {
  'worker-stop': stopWorker,
  'worker-stop-long': stopWorker,
  'worker-stop-in-transaction': stopWorkerInTransaction,
  'worker-term': async ({ processor }, { draw }) => {
    // A worker that is still starting has no signal handlers yet.
    const pid = await processor.pickWorker(draw, true)
    if (pid !== null) signal(pid, 'SIGTERM')
    return nothing
  },
  'primary-term': terminatePrimary,
  'primary-term-twice': terminatePrimary,

  'database-fast-stop': stopDatabase('fast'),
  'database-immediate-stop': stopDatabase('immediate'),
  'database-kill': stopDatabase('kill'),
  'backend-kill': async ({ database }, { draw }) => {
    await database.killBackend(draw)
    return () => database.whenUp()
  },
  'backend-terminate': async ({ database }) => {
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OUR_SESSIONS}`
    )
    return nothing
  },
  'database-read-only': async ({ database }) => {
    const set = async (value: 'on' | 'off'): Promise<void> => {
      await database.query(value === 'on' ? READ_ONLY : READ_WRITE)
      await database.query('SELECT pg_reload_conf()')
    }
    await set('on')
    return () => set('off')
  },
  'client-locked': lock(`SELECT FROM client WHERE name = 'client-1' FOR UPDATE`),
  'table-locked': lock('LOCK TABLE message IN ACCESS EXCLUSIVE MODE'),

  'connection-latency': onBoth(proxy => slowDown(proxy, CONNECTION_LATENCY_MS)),
  'connection-reset': onBoth(proxy => {
    proxy.resetAll()
    return () => proxy.resetAll()
  }),
  'connection-blackhole': onBoth(proxy => {
    proxy.loseAll()
    return () => proxy.heal()
  }),
  'connection-half-close': onBoth(proxy => {
    proxy.halfCloseAll()
    return () => proxy.halfCloseAll()
  }),
  'connection-cut': onBoth((proxy, { draw }) =>
    cut(proxy, { at: 'message', number: 1 + (draw % MAX_CUT_AT) })
  ),
  'connection-cut-at-commit': onBoth(proxy => cut(proxy, { at: 'commit', times: COMMITS_CUT })),

  'queue-500': trouble({ kind: 'errors', status: 500, code: 'InternalFailure' }),
  'queue-503': trouble({ kind: 'errors', status: 503, code: 'ServiceUnavailable' }),
  'queue-throttled': trouble({ kind: 'errors', status: 400, code: 'ThrottlingException' }),
  'queue-lost-answers': trouble({ kind: 'lost-answers', share: LOST_ANSWERS }),
  'queue-hang': trouble({ kind: 'hang' }),
  'queue-partial-deletes': trouble({ kind: 'partial-deletes', share: FAILING_ENTRIES }),
  'queue-no-heartbeat': trouble({ kind: 'no-heartbeat' })
}

async function stopWorker({ processor }: Systems, { draw }: PlannedFault): Promise<End> {
  const pid = await processor.pickWorker(draw)
  if (pid === null) return nothing
  signal(pid, 'SIGSTOP')
  return () => void signal(pid, 'SIGCONT')
}

/** Stops workers repeatedly until one is stopped inside a transaction. */
async function stopWorkerInTransaction(
  { processor, database, databaseProxy, onNoted }: Systems,
  { draw }: PlannedFault
): Promise<End> {
  const speedUp = slowDown(databaseProxy, CATCH_LATENCY_MS)
  try {
    for (let tries = 0; tries < CATCH_TRIES; tries++) {
      const pid = await processor.pickWorker(draw + tries, true)
      if (pid === null) return nothing
      signal(pid, 'SIGSTOP')
      await delay(STILL_MS)
      const still = await database.query(
        `SELECT FROM pg_stat_activity WHERE ${STORE_SESSION} AND state = 'idle in transaction'
         AND state_change < clock_timestamp() - make_interval(secs => $1)`,
        [(STILL_MS - CATCH_LATENCY_MS) / 1_000]
      )
      if (still.length > 0) {
        onNoted('workers stopped inside a transaction')
        return () => void signal(pid, 'SIGCONT')
      }
      signal(pid, 'SIGCONT')
    }
    return nothing
  } finally {
    speedUp()
  }
}

/** The run restarts it, as after a kill. */
async function terminatePrimary(
  { processor, onWrong }: Systems,
  { kind, forMs }: PlannedFault
): Promise<End> {
  processor.signalPrimary('SIGTERM')
  if (kind === 'primary-term-twice') {
    await delay(forMs)
    processor.signalPrimary('SIGTERM')
  }
  return async () => {
    const end = await processor.whenEnded()
    // A second signal ends it at once, unless it has already ended.
    const isFine = end === 0 || (kind === 'primary-term-twice' && end === 1)
    if (end !== null && !isFine) onWrong(`the processor ended with ${end} after SIGTERM`)
  }
}

function stopDatabase(mode: StopMode): Injector {
  return async ({ database }) => {
    await database.stop(mode)
    return () => database.startAgain()
  }
}

function lock(statement: string): Injector {
  return async ({ database }) => {
    const session = await database.session()
    await session.query('BEGIN')
    await session.query(statement)
    return () => session.end()
  }
}

/** The network between programs and database fails for all of them. */
function onBoth(begin: (proxy: DatabaseProxy, fault: PlannedFault) => () => void): Injector {
  return ({ databaseProxy, senderDatabaseProxy }, fault) => {
    const ends = [databaseProxy, senderDatabaseProxy].map(proxy => begin(proxy, fault))
    return () => {
      for (const end of ends) end()
    }
  }
}

function cut(proxy: DatabaseProxy, how: Cut): () => void {
  proxy.cut = how
  return () => {
    proxy.cut = null
  }
}

function slowDown(proxy: DatabaseProxy, latencyMs: number): () => void {
  proxy.latencyMs = latencyMs
  return () => {
    proxy.latencyMs = 0
  }
}

function trouble(kind: Trouble): Injector {
  return ({ queueProxy }) => {
    queueProxy.trouble = kind
    return () => {
      queueProxy.trouble = null
    }
  }
}
