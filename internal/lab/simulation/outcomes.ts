/**
 * Checks that each message had its required outcome: invariants I1, I2, I4, I6, I7, I11.
 * The checks read the load, the tables and the dead-letter queue, and nothing that the
 * intake reports.
 */
import { type ItemKey, type KeptRejection, type KeptRows, rowKey } from '../testing/kept-rows.js'
import type { SimulatedDatabase } from './database.js'
import type { SentBody } from './load.js'
import type { QueueServer } from './queue-server.js'
import { areasOf, type Schedule } from './schedule.js'
import type { World } from './world.js'

/**
 * By the queue's MessageId: `stored`, a rejection reason or `dead-lettered`; several if
 * it has several ends.
 */
export type Outcomes = ReadonlyMap<string, string>

type Rows = Pick<KeptRows<unknown>, 'holds' | 'items' | 'rejections'>
type SentItem = Extract<SentBody, { readonly kind: 'valid' }>

export interface CheckSetup {
  readonly world: World
  readonly server: QueueServer
  readonly rows: Rows
  readonly areWrittenAtOnce: SimulatedDatabase<unknown>['areWrittenAtOnce']
  /** The reason for rejections over a quota; null without quotas. */
  readonly overQuota: string | null
}

/** The end of a copy counts as an end of its original message. */
function readOutcomes(sent: readonly SentBody[], rows: Rows, server: QueueServer): Outcomes {
  return new Map(
    sent.map(message => {
      const ends = new Set<string>()
      if (message.kind === 'valid' && rows.holds(message.key, message.content)) ends.add('stored')
      const family = server.familyOf(message.id)
      for (const { id } of family) {
        const row = rows.rejections.get(id)
        if (row !== undefined) ends.add(row.rejection.reason)
      }
      if (family.some(({ id }) => server.dead.has(id))) ends.add('dead-lettered')
      return [message.id, [...ends].join(' and ')]
    })
  )
}

export function checkOutcomes(setup: CheckSetup): Outcomes {
  const { world, server, rows, overQuota } = setup
  const { sent, rules } = world.schedule
  const outcomes = readOutcomes(sent, rows, server)
  const variants = countVariants(sent)
  const onlyDatabase = [...areasOf(world.schedule)].every(area => area === 'database')
  for (const message of sent) {
    const outcome = outcomes.get(message.id) ?? ''
    const isDead = outcome.endsWith('dead-lettered')
    if (isDead && onlyDatabase && message.kind !== 'cursed')
      world.violate('I11', `${message.id} (${message.kind}) is dead-lettered`)
    let settled = outcome.replace(/( and )?dead-lettered$/, '')
    if (
      overQuota !== null &&
      settled === `stored and ${overQuota}` &&
      isRefusedBeside(message, setup)
    )
      settled = overQuota
    const isPossible =
      settled === ''
        ? isDead
        : settled === overQuota
          ? mayBeOverQuota(message, rules)
          : mayEndAs(message, settled, variants)
    if (!isPossible)
      world.violate(
        'I1',
        `${message.id} (${message.kind}) ends as ${outcome === '' ? 'nothing: it is lost' : outcome}`
      )
    if (settled.includes(' and ')) world.violate('I6', `${message.id} is both ${settled}`)
    for (const { id } of server.familyOf(message.id)) {
      const row = rows.rejections.get(id)
      if (row !== undefined) checkRejection(world, message, row)
    }
  }
  checkNothingInvented(world, rows)
  return outcomes
}

function mayEndAs(message: SentBody, settled: string, variants: (key: ItemKey) => number): boolean {
  switch (message.kind) {
    case 'valid':
      return settled === 'stored' || (settled === 'conflict' && variants(message.key) > 1)
    case 'invalid':
      return settled === message.reason
    case 'unstorable':
      return settled === 'unstorable'
    case 'cursed':
    case 'killer':
      return false
  }
}

/** Only messages that pass validation count against a quota. */
function mayBeOverQuota(message: SentBody, rules: Schedule['rules']): boolean {
  const isMeasured =
    message.kind === 'invalid'
      ? message.isMeasured
      : message.kind !== 'cursed' && message.kind !== 'killer'
  return isMeasured && rules[message.sender]?.quota?.over === 'reject'
}

/**
 * Whether this message may be rejected as over its quota although its item is stored:
 * another message with the item was within the quota, or this one was delivered twice and
 * the transactions of both deliveries ran at once
 * (internal/systems/events/store/write-batch.ts names that limit).
 */
function isRefusedBeside(message: SentBody, { world, areWrittenAtOnce }: CheckSetup): boolean {
  if (message.kind !== 'valid') return false
  const isSame = (other: SentBody): boolean =>
    other.kind === 'valid' && textOf(other) === textOf(message)
  return (
    world.schedule.sent.some(other => other !== message && isSame(other)) ||
    areWrittenAtOnce(rowKey(message.key), message.id)
  )
}

const textOf = ({ key, content }: Pick<SentItem, 'key' | 'content'>): string =>
  `${rowKey(key)}\u0000${content}`

/** Counts how many different items were sent under a key. */
export function countVariants(sent: readonly SentBody[]): (key: ItemKey) => number {
  const variants = new Map<string, Set<string>>()
  for (const message of sent) {
    if (message.kind !== 'valid') continue
    const key = rowKey(message.key)
    const known = variants.get(key)
    if (known === undefined) variants.set(key, new Set([message.content]))
    else known.add(message.content)
  }
  return key => variants.get(rowKey(key))?.size ?? 0
}

function checkNothingInvented(world: World, rows: Rows): void {
  const sent = new Set<string>()
  const ids = new Set<string>()
  for (const message of world.schedule.sent) {
    ids.add(message.id)
    if (message.kind === 'valid') sent.add(textOf(message))
  }
  for (const row of rows.items.values()) {
    if (!sent.has(textOf(row)))
      world.violate('I2', `a row that nobody sent: ${JSON.stringify(row.item)}`)
  }
  for (const [id, { message }] of rows.rejections)
    if (!ids.has(message.origin ?? id)) world.violate('I2', `a rejection that nobody sent: ${id}`)
}

function checkRejection(
  world: World,
  { id, body }: SentBody,
  { message, rejection }: KeptRejection
): void {
  const isComplete =
    message.body === body && message.receiveCount >= 1 && rejection.violations.length > 0
  const hasPointers = rejection.violations.every(
    ({ pointer, keyword, message: text }) =>
      /^(\/|$)/.test(pointer) && keyword !== '' && text !== ''
  )
  if (!isComplete || !hasPointers)
    world.violate(
      'I7',
      `the rejection of ${id} is incomplete: ${JSON.stringify({ message, rejection })}`
    )
}
