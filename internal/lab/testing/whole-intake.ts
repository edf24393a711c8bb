/**
 * The intake on a real store, with one batch at a time. It reports each body's outcome,
 * its row and the number of attempts.
 *
 * Shapes  `process` delivers bodies together, as one batch, and resolves when each has
 *         left the queue or was left to it.
 * Errors  a batch that is not settled fails the wait of `until`.
 */

import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { Intake } from '../../engine/intake/intake.js'
import { systemClock as clock } from '../../engine/lifecycle/clock.js'
import type { Disposition, Violation } from '../../engine/message/message.js'
import type { Queue, ReceiveOptions } from '../../engine/queue/queue.js'
import { SQS_LIMITS } from '../../engine/queue/sqs/limits.js'
import type { Decoder } from '../../systems/events/event/decode.js'
import type { EventVerdict } from '../../systems/events/event/event.js'
import { createEventStore } from '../../systems/events/store/postgres.js'
import { EQUAL_CLIENTS } from './equal-clients.js'
import { NO_SUSPECTS } from './no-suspects.js'
import { SILENT_INTAKE, SILENT_JOURNAL } from './silent-intake.js'
import { until } from './until.js'

export interface Fate {
  readonly body: string
  /** Null when it was left to the dead-letter queue. */
  readonly disposition: Disposition | null
  /** Its row of `message`, or of `rejection`, or none (a duplicate). */
  readonly row: MessageRow | RejectionRow | null
}

interface MessageRow {
  readonly kind: 'message'
  readonly messageId: string
  readonly payload: string
}

interface RejectionRow {
  readonly kind: 'rejection'
  readonly reason: string
  /** The body as it was sent, whatever the row's encoding. */
  readonly body: string
  readonly violations: readonly Violation[]
}

export interface Processed {
  readonly fates: readonly Fate[]
  /** Transactions that were tried. */
  readonly attempts: number
}

export interface WholeIntake {
  process(bodies: readonly string[]): Promise<Processed>
}

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

const nothing = (): void => undefined

export function createWholeIntake(
  t: Teardown,
  connectionString: string,
  pool: pg.Pool,
  decode: Decoder
): WholeIntake {
  const limits = {
    statementTimeoutMs: 30_000,
    lockTimeoutMs: 10_000,
    idleInTransactionTimeoutMs: 10_000,
    queryDeadlineMs: 35_000,
    requireDurability: false
  }
  const store = createEventStore({ connectionString, ...limits })
  let attempts = 0
  const counted: typeof store = {
    ...store,
    prepare(batch) {
      attempts += 1
      return store.prepare(batch)
    }
  }
  let deliver: ReceiveOptions['deliver'] = nothing
  const settled = new Set<string>()
  const dispositions = new Map<string, Disposition>()
  const messageIds = new Map<string, string>()
  const queue: Queue = {
    limits: SQS_LIMITS,
    countsDeliveries: true,
    leases: null,
    deadLetters: null,
    inspect: null,
    receive(options) {
      deliver = options.deliver
      return { stop: () => Promise.resolve() }
    },
    async ack(receipts) {
      for (const { id } of receipts) settled.add(id)
      return []
    },
    nack: () => Promise.resolve([]),
    close: () => Promise.resolve()
  }
  const intake = new Intake({
    ...EQUAL_CLIENTS,
    queue,
    store: counted,
    decode: message => note(message.id, decode(message)),
    clock,
    random: Math.random,
    limits: {
      batch: { maxMessages: 10_000, maxBytes: 1_000_000_000, lingerMs: 0, busyMessages: 100 },
      maxInFlightMessages: 100_000,
      maxInFlightBytes: 4_000_000_000,
      settleConcurrency: 8,
      settleLingerMs: 0
    },
    journal: SILENT_JOURNAL,
    suspectRecord: NO_SUSPECTS,
    observer: {
      ...SILENT_INTAKE,
      committed: (entries, all) =>
        entries.forEach(({ message }, index) => dispositions.set(message.id, all[index]!)),
      leftToQueue: id => settled.add(id)
    }
  })
  t.teardown(async () => {
    await intake.stop(5_000)
    await store.close()
  })

  /** Notes the id that a valid event's row would have, to find the row. */
  function note(id: string, verdict: EventVerdict): EventVerdict {
    if (verdict.kind === 'valid') messageIds.set(id, verdict.item.messageId)
    return verdict
  }

  async function readRows(
    ids: readonly string[]
  ): Promise<ReadonlyMap<string, MessageRow | RejectionRow>> {
    const rows = new Map<string, MessageRow | RejectionRow>()
    const stored = ids.filter(id => dispositions.get(id) === 'stored')
    const byMessageId = new Map(stored.map(id => [messageIds.get(id)!, id]))
    const { rows: messages } = await pool.query<{ messageId: string; payload: string }>(
      'SELECT message_id AS "messageId", message::text AS payload FROM message WHERE message_id = ANY ($1)',
      [[...byMessageId.keys()]]
    )
    for (const row of messages)
      rows.set(byMessageId.get(row.messageId)!, { kind: 'message', ...row })
    const { rows: rejections } = await pool.query<RejectionRow & { id: string; encoding: string }>(
      'SELECT queue_message_id AS id, reason, body, body_encoding AS encoding, violations FROM rejection WHERE queue_message_id = ANY ($1)',
      [ids]
    )
    for (const { id, reason, body, encoding, violations } of rejections) {
      if (rows.has(id)) throw new Error(`${id} is both stored and rejected`)
      rows.set(id, {
        kind: 'rejection',
        reason,
        body: encoding === 'plain' ? body : (JSON.parse(body) as string),
        violations
      })
    }
    return rows
  }

  // Unique among the intakes on this database.
  const prefix = randomUUID()
  let batches = 0
  return {
    async process(bodies) {
      batches += 1
      const before = attempts
      const ids = bodies.map((_, index) => `${prefix}-${batches}-${index}`)
      deliver(
        bodies.map((body, index) => ({
          id: ids[index]!,
          token: 'handle',
          body,
          bytes: Buffer.byteLength(body),
          receiveCount: 1,
          sentAtMs: clock.epochMs()
        }))
      )
      await until('the batch is settled', () => ids.every(id => settled.has(id)), 60_000)
      const rows = await readRows(ids)
      const fates = bodies.map((body, index) => {
        const id = ids[index]!
        return { body, disposition: dispositions.get(id) ?? null, row: rows.get(id) ?? null }
      })
      return { fates, attempts: attempts - before }
    }
  }
}
