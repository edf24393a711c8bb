/**
 * Writes one batch in the transaction that the client has begun, and says what each entry
 * becomes if it commits.
 *
 * There is one statement for valid events, one more if keys exist already or occur twice
 * in the batch, and one more for rejections. All transactions take their locks in the
 * same order (parents, `message` by key, `rejection` by key), so batches that share keys
 * wait for each other and never deadlock.
 *
 * Limit   two deliveries of one queue message may be judged differently, because a client
 *         or payload schema changed in between. If their transactions overlap, they could
 *         leave a row of `message` and one of `rejection`: neither sees the other's row.
 *         A delivery whose transaction begins after the other's commit is recognised,
 *         however old it is.
 * Errors  the driver's; StoreError `transient` if a stored row was deleted meanwhile.
 */
import type { ClientBase } from 'pg'
import { StoreError } from '../../../engine/intake/store.js'
import type { Disposition, ReceivedMessage } from '../../../engine/message/message.js'
import { isStorable } from '../../../engine/message/storable.js'
import type { WrittenBatch } from '../../../engine/postgres/commit-store.js'
import type { TransactionToken, Witness } from '../../../engine/postgres/transaction-token.js'
import type { EventEntry, EventRejection, ValidEvent } from '../event/event.js'
import { refuse } from './refusal.js'
import { toRejectionRow } from './rejection-row.js'
import { insertMessages, type MessageInsert } from './sql/insert-messages.js'
import { insertRejections, type RejectionInsert } from './sql/insert-rejections.js'
import { readConflicts } from './sql/read-conflicts.js'

/** A valid event and its place in the batch. */
interface Candidate extends MessageInsert {
  readonly index: number
}

/** Becomes a row of `rejection`, unless a stored row shows that it is a duplicate. */
interface Refused {
  readonly index: number
  readonly message: ReceivedMessage
  readonly rejection: EventRejection
}

export async function writeBatch(
  client: ClientBase,
  batch: readonly EventEntry[]
): Promise<WrittenBatch> {
  const dispositions = new Array<Disposition>(batch.length).fill('duplicate')
  const candidates: Candidate[] = []
  const refused: Refused[] = []
  for (const [index, { message, verdict }] of batch.entries()) {
    if (verdict.kind === 'valid') candidates.push({ index, message, event: verdict.item })
    else refused.push({ index, message, rejection: verdict.rejection })
  }
  const stored =
    candidates.length > 0 ? await writeMessages(client, candidates, dispositions, refused) : null
  const rejected =
    refused.length > 0 || stored === null
      ? await writeRejections(client, refused, dispositions)
      : null
  const xid = stored?.xid ?? rejected?.xid ?? ''
  return { xid, witness: stored?.witness ?? rejected?.witness ?? null, dispositions }
}

/** Marks the stored entries, and adds those that cannot be stored to `refused`. */
async function writeMessages(
  client: ClientBase,
  candidates: readonly Candidate[],
  dispositions: Disposition[],
  refused: Refused[]
): Promise<TransactionToken> {
  const existing: Candidate[] = []
  let witness: Witness | null = null
  let xid = ''
  // A second round is needed only if the first of several messages of one event has been
  // rejected before.
  for (let round = candidates; round.length > 0; ) {
    const { leaders, followers } = partByEvent(round)
    const inserted = await insertMessages(client, leaders)
    const notInserted = new Map(inserted.exceptions)
    const again: Candidate[] = []
    for (const [at, leader] of leaders.entries()) {
      const why = notInserted.get(at)
      const behind = followers.get(leader) ?? []
      if (why === undefined) {
        dispositions[leader.index] = 'stored'
        witness ??= { table: 'message', key: [leader.event.clientId, leader.event.messageId] }
        existing.push(...behind)
      } else if (why === 'exists') existing.push(leader, ...behind)
      else if (why === 'rejected-before') again.push(...behind)
      else
        for (const candidate of [leader, ...behind]) refused.push(refuseCandidate(why, candidate))
    }
    xid = inserted.xid
    round = again
  }
  if (existing.length > 0) refused.push(...(await findConflicts(client, existing)))
  return { xid, witness }
}

/**
 * The first message of each (client, id, event type), and its followers. They have the
 * same parents and key, so they share its outcome or find its row.
 */
function partByEvent(candidates: readonly Candidate[]): {
  readonly leaders: readonly Candidate[]
  readonly followers: ReadonlyMap<Candidate, readonly Candidate[]>
} {
  const leaders = new Map<string, Candidate>()
  const followers = new Map<Candidate, Candidate[]>()
  for (const candidate of candidates) {
    const { clientId, messageId, eventType } = candidate.event
    // No storable text holds U+0000, so the parts cannot run into each other.
    const key = `${clientId}\u0000${messageId}\u0000${eventType}`
    const leader = leaders.get(key)
    const behind = leader === undefined ? undefined : followers.get(leader)
    if (leader === undefined) leaders.set(key, candidate)
    else if (behind === undefined) followers.set(leader, [candidate])
    else behind.push(candidate)
  }
  return { leaders: [...leaders.values()], followers }
}

async function findConflicts(
  client: ClientBase,
  existing: readonly Candidate[]
): Promise<readonly Refused[]> {
  const differences = await readConflicts(
    client,
    existing.map(({ event }) => event)
  )
  return differences.map(([at, difference]) => {
    if (difference === 'gone')
      throw new StoreError(
        'transient',
        '40001',
        'a stored row was deleted while its duplicate was being written'
      )
    return refuseCandidate('conflict', existing[at] as Candidate)
  })
}

function refuseCandidate(
  why: Parameters<typeof refuse>[0],
  { index, message, event }: Candidate
): Refused {
  return { index, message, rejection: refuse(why, event, message) }
}

async function writeRejections(
  client: ClientBase,
  refused: readonly Refused[],
  dispositions: Disposition[]
): Promise<TransactionToken> {
  // If a batch has two deliveries of one message, the row of the first counts.
  const inserts = new Map<string, RejectionInsert & { readonly index: number }>()
  for (const { index, message, rejection } of refused) {
    const row = toRejectionRow(message, rejection)
    if (!inserts.has(row.queueMessageId))
      inserts.set(row.queueMessageId, { index, row, event: eventOf(rejection) })
  }
  const { xid, inserted } = await insertRejections(client, [...inserts.values()])
  let witness: Witness | null = null
  for (const queueMessageId of inserted) {
    const insert = inserts.get(queueMessageId)
    if (insert === undefined) continue
    dispositions[insert.index] = insert.row.reason
    witness ??= { table: 'rejection', key: [queueMessageId] }
  }
  return { xid, witness }
}

/**
 * The event in a refused body, if it is complete and a row of `message` could hold it.
 */
function eventOf({ clientId, eventType, messageId, payload }: EventRejection): ValidEvent | null {
  if (clientId === null || eventType === null || messageId === null || payload === null) return null
  if (![clientId, eventType, messageId, payload].every(isStorable)) return null
  return { clientId, eventType, messageId, payload, schemaId: null }
}
