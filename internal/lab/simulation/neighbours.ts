/**
 * Runs a schedule with and without one sender's messages and compares the outcomes of the
 * others' (I12, the half about outcomes). Only for schedules where nothing but the
 * database fails: too many deliveries or a dying worker may dead-letter a message in one
 * run and not in the other.
 */
import type { Rejection } from '../../engine/message/message.js'
import type { SentBody } from './load.js'
import { countVariants, type Outcomes } from './outcomes.js'
import type { Schedule } from './schedule.js'
import { simulate } from './simulation.js'
import type { SimulatedSystem } from './system.js'

/** What the sender of mostly invalid messages changes for the others; null if nothing. */
export async function findInfluence<Item, Refused extends Rejection>(
  system: SimulatedSystem<Item, Refused>,
  schedule: Schedule
): Promise<string | null> {
  const [, , nonsense] = system.bodies.senders
  const others = schedule.sent.filter(({ sender }) => sender !== nonsense)
  const together = await simulate(system, schedule)
  const alone = await simulate(system, { ...schedule, sent: others })
  const [one, other] = [
    describe(schedule, others, together.outcomes),
    describe(schedule, others, alone.outcomes)
  ]
  const at = one.findIndex((line, index) => line !== other[index])
  return at === -1 ? null : `together: ${one[at] ?? ''}; alone: ${other[at] ?? ''}`
}

/**
 * The first of several different events under one key is stored, and a rejecting quota
 * passes the first to arrive. Which ones are first may depend on timing; nothing else
 * may.
 */
function describe(
  { rules }: Schedule,
  sent: readonly SentBody[],
  outcomes: Outcomes
): readonly string[] {
  const variants = countVariants(sent)
  return sent.map(message => {
    const outcome = outcomes.get(message.id) ?? 'unknown'
    if (rules[message.sender]?.quota?.over === 'reject' && outcome !== '')
      return `${message.id}: as its quota decides`
    const isContested =
      message.kind === 'valid' &&
      variants(message.key) > 1 &&
      (outcome === 'stored' || outcome === 'conflict')
    return `${message.id}: ${isContested ? 'stored or conflict' : outcome}`
  })
}
