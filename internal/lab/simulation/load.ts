/**
 * The messages of one schedule, and the required outcome of each, which follows from its
 * own sender's messages alone.
 *
 * Units   virtual milliseconds.
 */
import type { ItemKey } from '../testing/kept-rows.js'
import type { Dice } from './dice.js'
import type { SimulatedBodies } from './system.js'

export type SentBody = {
  /** The queue's MessageId. */
  readonly id: string
  /**
   * Infinity: sent when all others are settled, shortly before the workers are stopped.
   */
  readonly atMs: number
  readonly sender: string
  readonly body: string
} & (
  | { readonly kind: 'valid'; readonly key: ItemKey; readonly content: string }
  /** Refused by validation, or by the database for its content. */
  | { readonly kind: 'invalid'; readonly reason: string; readonly isMeasured: boolean }
  /** Valid, but its row causes a data error in the database. */
  | { readonly kind: 'unstorable' }
  /** Causes a data error in the database, even as a rejection. */
  | { readonly kind: 'cursed' }
  /** Kills the process that examines it. */
  | { readonly kind: 'killer' }
)

interface LoadOptions {
  readonly messages: number
  /** How many bodies are sent when all others are settled. */
  readonly lastMessages: number
  readonly overMs: number
  readonly hasKillers: boolean
}

type WithoutPlace<T> = T extends unknown ? Omit<T, 'id' | 'atMs' | 'sender'> : never

export function createLoad(
  bodies: SimulatedBodies,
  { messages, lastMessages, overMs, hasKillers }: LoadOptions,
  dice: Dice
): readonly SentBody[] {
  const [most, some, nonsense] = bodies.senders
  const sent: SentBody[] = []
  // Few ids, so that they collide within and between senders.
  const ids = 1 + dice.below(messages)
  const pickSender = (): string => dice.pick([most, most, most, some, nonsense])
  const goodOne = (sender: string, id: string): WithoutPlace<SentBody> => ({
    kind: 'valid',
    ...bodies.good(sender, id, ids, dice)
  })
  for (let index = 0; index < messages; index++) {
    const sender = pickSender()
    const badness = sender === nonsense ? 0.6 : 0.08
    const id = `m${index}`
    const what = dice.chance(badness)
      ? badOne(bodies, sender, id, dice, hasKillers)
      : goodOne(sender, id)
    // Bursts: about half of the messages arrive together with the previous one.
    const atMs = dice.chance(0.5) ? (sent.at(-1)?.atMs ?? 0) : dice.between(0, overMs)
    sent.push({ id, atMs, sender, ...what })
  }
  for (let index = messages; index < messages + lastMessages; index++) {
    const sender = pickSender()
    sent.push({ id: `m${index}`, atMs: Infinity, sender, ...goodOne(sender, `m${index}`) })
  }
  return sent.sort((one, other) => (one.atMs === other.atMs ? 0 : one.atMs - other.atMs))
}

function badOne(
  { bad, poison }: SimulatedBodies,
  sender: string,
  queueId: string,
  dice: Dice,
  hasKillers: boolean
): WithoutPlace<SentBody> {
  const kind =
    hasKillers && dice.chance(0.2)
      ? 'killer'
      : dice.pick(['invalid', 'invalid', 'invalid', 'unstorable', 'cursed'] as const)
  if (kind !== 'invalid') return { kind, body: poison(sender, queueId, kind) }
  const { body, ...why } = dice.pick(bad)
  return { kind, ...why, body: body(sender, queueId) }
}
