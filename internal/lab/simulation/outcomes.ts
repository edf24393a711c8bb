/**
 * What became of each message, and whether that is what had to become of it: invariants
 * I1, I2, I4, I6, I7, I11.
 *
 * Source  the ledger is the load; the checks read that, the tables and the dead-letter
 *         queue, and nothing of what the intake says.
 */
import type { ValidEvent } from '../../engine/message/message.js'
import type { Database } from './database.js'
import type { Sent } from './load.js'
import type { QueueServer } from './queue-server.js'
import { areasOf, type Schedule } from './schedule.js'
import type { RefusedRow, Tables } from './tables.js'
import type { World } from './world.js'

/**
 * By the queue's MessageId: `stored`, a rejection reason or `dead-lettered`; several
 * where it has several ends.
 */
export type Outcomes = ReadonlyMap<string, string>

/** A copy's end is one of the message that it goes back to. */
function readOutcomes(sent: readonly Sent[], tables: Tables, server: QueueServer): Outcomes {
  return new Map(
    sent.map(message => {
      const ends = new Set<string>()
      if (message.kind === 'valid' && tables.holds(message.event)) ends.add('stored')
      const family = server.familyOf(message.id)
      for (const { id } of family) {
        const row = tables.rejections.get(id)
        if (row !== undefined) ends.add(row.rejection.reason)
      }
      if (family.some(({ id }) => server.dead.has(id))) ends.add('dead-lettered')
      return [message.id, [...ends].join(' and ')]
    })
  )
}

export function checkOutcomes(world: World, database: Database, server: QueueServer): Outcomes {
  const { tables } = database
  const { sent, rules } = world.schedule
  const outcomes = readOutcomes(sent, tables, server)
  const variants = countVariants(sent)
  const onlyDatabase = [...areasOf(world.schedule)].every(area => area === 'database')
  for (const message of sent) {
    const outcome = outcomes.get(message.id) ?? ''
    const isDead = outcome.endsWith('dead-lettered')
    if (isDead && onlyDatabase && message.kind !== 'cursed')
      world.violate('I11', `${message.id} (${message.kind}) is dead-lettered`)
    let settled = outcome.replace(/( and )?dead-lettered$/, '')
    if (settled === 'stored and over-quota' && isRefusedBeside(message, sent, database))
      settled = 'over-quota'
    const isPossible =
      settled === ''
        ? isDead
        : settled === 'over-quota'
          ? mayBeOverQuota(message, rules)
          : mayEndAs(message, settled, variants)
    if (!isPossible)
      world.violate(
        'I1',
        `${message.id} (${message.kind}) ends as ${outcome === '' ? 'nothing: it is lost' : outcome}`
      )
    if (settled.includes(' and ')) world.violate('I6', `${message.id} is both ${settled}`)
    for (const { id } of server.familyOf(message.id)) {
      const row = tables.rejections.get(id)
      if (row !== undefined) checkRejection(world, message, row)
    }
  }
  checkNothingInvented(world, tables)
  return outcomes
}

function mayEndAs(
  message: Sent,
  settled: string,
  variants: (event: ValidEvent) => number
): boolean {
  switch (message.kind) {
    case 'valid':
      return settled === 'stored' || (settled === 'conflict' && variants(message.event) > 1)
    case 'invalid':
      return settled === message.reason
    case 'unstorable':
      return settled === 'unstorable'
    case 'cursed':
    case 'killer':
      return false
  }
}

/** Only what validation lets pass is measured against a quota. */
function mayBeOverQuota(message: Sent, rules: Schedule['rules']): boolean {
  const isLetPass =
    message.kind === 'invalid'
      ? message.reason === 'unknown-event-type'
      : message.kind !== 'cursed' && message.kind !== 'killer'
  return isLetPass && rules[message.clientId]?.quota?.overQuota === 'reject'
}

/**
 * Whether this sending may be over its quota and its event stored: another sending of it
 * was within; or it was delivered twice, and the transactions of both deliveries ran at
 * once (internal/systems/events/store/write-batch.ts names that limit).
 */
function isRefusedBeside(message: Sent, sent: readonly Sent[], database: Database): boolean {
  if (message.kind !== 'valid') return false
  const { event, id } = message
  const isSame = (other: Sent): boolean =>
    other.kind === 'valid' &&
    keyOf(other.event) === keyOf(event) &&
    contentOf(other.event) === contentOf(event)
  return (
    sent.some(other => other !== message && isSame(other)) || database.areWrittenAtOnce(event, id)
  )
}

const keyOf = ({ clientId, messageId }: ValidEvent): string => `${clientId}\u0000${messageId}`
const contentOf = ({ eventType, payload }: ValidEvent): string => `${eventType}\u0000${payload}`

/** Tells how many different events were sent under the key of one. */
export function countVariants(sent: readonly Sent[]): (event: ValidEvent) => number {
  const variants = new Map<string, Set<string>>()
  for (const message of sent) {
    if (message.kind !== 'valid') continue
    const known = variants.get(keyOf(message.event))
    if (known === undefined) variants.set(keyOf(message.event), new Set([contentOf(message.event)]))
    else known.add(contentOf(message.event))
  }
  return event => variants.get(keyOf(event))?.size ?? 0
}

function checkNothingInvented(world: World, tables: Tables): void {
  const sent = new Set<string>()
  const ids = new Set<string>()
  for (const message of world.schedule.sent) {
    ids.add(message.id)
    if (message.kind === 'valid')
      sent.add(`${keyOf(message.event)}\u0000${contentOf(message.event)}`)
  }
  for (const event of tables.messages.values()) {
    if (!sent.has(`${keyOf(event)}\u0000${contentOf(event)}`))
      world.violate('I2', `a row that nobody sent: ${JSON.stringify(event)}`)
  }
  for (const [id, { message }] of tables.rejections)
    if (!ids.has(message.origin ?? id)) world.violate('I2', `a rejection that nobody sent: ${id}`)
}

function checkRejection(
  world: World,
  { id, body }: Sent,
  { message, rejection }: RefusedRow
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
      `the rejection of ${id} does not say all: ${JSON.stringify({ message, rejection })}`
    )
}
