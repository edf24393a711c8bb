/**
 * Sends all hostile bodies that a queue accepts through the built processor at once: it
 * stays up, and every outcome is correct.
 */
import t from 'tap'
import { createTestDatabase } from '../testing/database.js'
import { HOSTILE_BODIES } from '../testing/hostile-bodies/corpus.js'
import { HOSTILE_SCHEMA } from '../testing/hostile-bodies/schemas.js'
import { sendBodies, serviceEnvironment, startProcessor } from '../testing/programs.js'
import { startTestSqs } from '../testing/sqs.js'

const { connectionString, pool } = await createTestDatabase(t)

/**
 * SQS accepts the characters of XML 1.0, up to 1 MiB. Unlike SQS, this emulator refuses
 * those beyond 16 bits.
 */
const isSendable = (body: string): boolean =>
  body !== '' &&
  Buffer.byteLength(body) <= 1_048_576 &&
  /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}]*$/u.test(body)

const count = (items: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const item of items) counts[item] = (counts[item] ?? 0) + 1
  return counts
}

t.test(
  'the processor decides each body correctly; no worker dies, no message is left over',
  async t => {
    const { eventType, version, schema, hash } = HOSTILE_SCHEMA
    await pool.query(
      `INSERT INTO event_schema (event_type, version, state, schema, hash) VALUES ($1, $2, 'active', $3, $4)`,
      [eventType, version, JSON.stringify(schema), hash]
    )
    const emulator = await startTestSqs(t)
    const processor = await startProcessor(t, serviceEnvironment(connectionString, emulator))
    const settle = (): Promise<void> =>
      processor.program.until('the queue is empty', () => {
        const { ready = [], inflight = [] } = emulator.server.inspectQueue('events')?.messages ?? {}
        return ready.length === 0 && inflight.length === 0
      })
    const send = async (bodies: readonly string[]): Promise<void> => {
      await sendBodies(
        emulator,
        bodies.filter(body => body.length < 50_000)
      )
      // A batch of ten may not exceed the size limit of one message.
      for (const body of bodies.filter(one => one.length >= 50_000))
        await sendBodies(emulator, [body])
      await settle()
    }

    const sendable = HOSTILE_BODIES.filter(({ body }) => isSendable(body))
    t.ok(sendable.length > 600, String(sendable.length))
    const firsts = sendable.flatMap(({ first }) => first ?? [])
    await send(firsts)
    await send(sendable.map(({ body }) => body))

    const outcomes = count([
      ...sendable.map(({ outcome }) => outcome),
      ...firsts.map(() => 'stored')
    ])
    const { stored = 0, duplicate = 0, ...rejected } = outcomes
    const { rows: messages } = await pool.query<{ payload: string }>(
      'SELECT message::text AS payload FROM message'
    )
    t.equal(messages.length, stored)
    const payloads = new Set(messages.map(({ payload }) => payload))
    for (const { name, outcome, payload } of sendable)
      if (outcome === 'stored') t.ok(payloads.has(payload!), `${name}: stored as it was sent`)
    const { rows: rejections } = await pool.query<{ reason: string; body: string }>(
      'SELECT reason, body FROM rejection'
    )
    t.same(count(rejections.map(({ reason }) => reason)), rejected)
    const reasons = new Map(rejections.map(({ reason, body }) => [body, reason]))
    for (const { name, body, outcome } of sendable)
      if (outcome in rejected) t.equal(reasons.get(body), outcome, name)

    await processor.program.until(
      'the totals are reported',
      async () => (await processor.metrics()).get('stored_total') === stored
    )
    const metrics = await processor.metrics()
    t.equal(metrics.get('duplicate_total'), duplicate)
    for (const [reason, n] of Object.entries(rejected))
      t.equal(metrics.get(`rejected_total{reason="${reason}"}`), n, reason)
    t.equal(metrics.get('store_failed_total'), 0)
    t.equal(metrics.get('left_to_queue_total'), 0)
    t.equal(metrics.get('worker_restarts_total'), 0)
    t.equal(emulator.server.inspectQueue('events-dead-letters')?.messages.ready.length, 0)
    t.equal(await processor.program.end(), 0)
  }
)
