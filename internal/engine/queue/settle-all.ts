/**
 * Settles messages in a few attempts, for tools: each attempt repeats only what failed
 * and may still succeed.
 *
 * Errors  none of the queue's: failures are returned, and their messages come back by
 *         themselves.
 */
import type { Clock } from '../lifecycle/clock.js'
import { delay } from '../lifecycle/interrupt.js'
import { QueueError, type Receipt, type SettleFailure } from './queue.js'

export interface SettleOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
}

export type Settle = (receipts: readonly Receipt[]) => Promise<readonly SettleFailure[]>

const ATTEMPTS = 3
const RETRY_MS = 200

export async function settleAll(
  receipts: readonly Receipt[],
  settle: Settle,
  { clock, signal }: SettleOptions
): Promise<readonly SettleFailure[]> {
  const givenUp: SettleFailure[] = []
  let open = receipts
  for (let attempt = 1; open.length > 0; attempt++) {
    const again = new Set<string>()
    for (const failure of await settleOnce(open, settle)) {
      if (failure.retryable && attempt < ATTEMPTS) again.add(failure.id)
      else givenUp.push(failure)
    }
    if (again.size === 0) break
    open = open.filter(({ id }) => again.has(id))
    await delay(clock, RETRY_MS * attempt, signal)
  }
  return givenUp
}

async function settleOnce(
  receipts: readonly Receipt[],
  settle: Settle
): Promise<readonly SettleFailure[]> {
  try {
    return await settle(receipts)
  } catch (error) {
    if (!(error instanceof QueueError)) throw error
    const { code } = error
    return receipts.map(({ id }) => ({ id, code, retryable: true }))
  }
}
