/** Selects dead letters by options and finds them in their queue. */
import type { Options } from '../../../engine/cli/command.js'
import type { Flags } from '../../../engine/cli/flags.js'
import { readText, readTime, TIME_ARGUMENT } from '../../../engine/cli/options.js'
import { ExpectedError } from '../../../engine/lifecycle/service.js'
import type { InspectableQueue } from '../../../engine/queue/queue.js'
import type { AdminContext } from './context.js'
import { type DeadLetter, type DeadLetterFilter, matches, readDeadLetter } from './dead-letter.js'
import { unseen } from './dead-letter-view.js'
import { type Scan, scanQueue } from './scan-queue.js'

export const DEAD_LETTER_FILTERS: Options = {
  client: { value: 'NAME', text: 'only those whose body is JSON and names this client' },
  'event-type': { value: 'NAME', text: 'only those whose body is JSON and names this event type' },
  since: { value: 'WHEN', text: `only those sent since then: ${TIME_ARGUMENT}` },
  'older-than': { value: 'WHEN', text: `only those sent before then: ${TIME_ARGUMENT}` }
}

export function readDeadLetterFilter(flags: Flags, nowMs: number): DeadLetterFilter {
  return {
    ids: flags.operands.length === 0 ? null : new Set(flags.operands),
    clientId: readText(flags, 'client'),
    eventType: readText(flags, 'event-type'),
    since: readTime(flags, 'since', nowMs),
    olderThan: readTime(flags, 'older-than', nowMs)
  }
}

interface FoundDeadLetters {
  readonly found: readonly DeadLetter[]
  readonly scan: Scan
}

/** The first `limit` that match, oldest first. */
export async function findDeadLetters(
  context: AdminContext,
  filter: DeadLetterFilter,
  limit: number
): Promise<FoundDeadLetters> {
  const found: DeadLetter[] = []
  const scan = await scanQueue({
    queue: await deadLetterQueue(context),
    clock: context.clock,
    signal: context.signal,
    visit(messages) {
      for (const deadLetter of messages.map(readDeadLetter))
        if (found.length < limit && matches(deadLetter, filter)) found.push(deadLetter)
      return { gone: new Set(), isEnough: found.length >= limit }
    }
  })
  return { found: found.sort((a, b) => a.message.sentAtMs - b.message.sentAtMs), scan }
}

export async function deadLetterQueue({ queues }: AdminContext): Promise<InspectableQueue> {
  const { deadLetters, queueName } = await queues()
  if (deadLetters === null)
    throw new ExpectedError(`Cannot find out which dead-letter queue ${queueName} has`)
  return deadLetters
}

export function tellUnseen({ output }: AdminContext, scan: Scan): void {
  const remark = unseen(scan)
  if (remark !== null) output.remark(remark)
}
