/**
 * The Big List of Naughty Strings in every field that a producer fills, through the
 * intake into a real PostgreSQL, and into log lines.
 */

import strings from 'big-list-of-naughty-strings/blns.json' with { type: 'json' }
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { StoreError } from '../../../engine/intake/store.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import type { Disposition } from '../../../engine/message/message.js'
import { QueueError } from '../../../engine/queue/queue.js'
import { Cases } from '../../../lab/testing/cases.js'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { createWholeIntake, type Processed } from '../../../lab/testing/whole-intake.js'
import { createDecoder } from '../event/decode.js'
import { createIntakeEvents } from '../observe/intake-events.js'
import { createProcessorMetrics } from '../observe/processor-metrics.js'
import { createWorkerMetrics } from '../observe/worker-metrics.js'

const NAUGHTY = [...new Set<string>(strings)]
const { connectionString, pool } = await createTestDatabase(t)
const decode = createDecoder({ payloadSchemas: { find: () => null } })

const characters = (text: string): number => Array.from(text).length
const isName = (text: string): boolean => text !== '' && characters(text) <= 100
const body = (over: object): string =>
  JSON.stringify({ event_type: 'monitor-app', client_id: 'client-1', message: 'x', ...over })

t.beforeEach(() => pool.query('TRUNCATE message, rejection'))

/** Sends one body per string in one batch, and compares their outcomes. */
async function sendAll(
  t: Test,
  make: (text: string) => object,
  want: (text: string) => Disposition
): Promise<Processed> {
  const intake = createWholeIntake(t, connectionString, pool, decode)
  const processed = await intake.process(NAUGHTY.map(text => body(make(text))))
  const cases = new Cases()
  for (const [index, { disposition, row, body: sent }] of processed.fates.entries()) {
    const text = NAUGHTY[index]!
    cases.equal(disposition, want(text), `string ${index}`)
    if (disposition !== 'stored')
      cases.ok(row?.kind === 'rejection' && row.body === sent, `string ${index} is kept`)
  }
  cases.assertAll(t, 'each string has its outcome')
  t.equal(processed.attempts, 1, 'none of them makes a batch fail')
  return processed
}

t.test('as ids', async t => {
  t.ok(NAUGHTY.length > 450)
  const isId = (text: string): boolean => text !== '' && Buffer.byteLength(text) <= 255
  const { fates } = await sendAll(
    t,
    text => ({ event_id: text }),
    text => (isId(text) ? 'stored' : 'invalid-field')
  )
  const cases = new Cases()
  for (const [index, { row }] of fates.entries())
    if (row?.kind === 'message') cases.equal(row.messageId, NAUGHTY[index], `string ${index}`)
  cases.assertAll(t, 'each stored string is the id')
})

const PLACES: Readonly<Record<string, (text: string) => { readonly message: unknown }>> = {
  payloads: text => ({ message: text }),
  'keys and values of payloads': text => ({ message: { [text]: [text] } }),
  'keys that are ignored': text => ({ [`ignored ${text}`]: text, message: 'x' })
}

for (const [place, make] of Object.entries(PLACES)) {
  t.test(`as ${place}`, async t => {
    const { fates } = await sendAll(t, make, text =>
      make(text).message === '' ? 'missing-field' : 'stored'
    )
    const cases = new Cases()
    for (const [index, { row }] of fates.entries()) {
      const payload = JSON.stringify(make(NAUGHTY[index]!).message)
      if (row?.kind === 'message') cases.equal(row.payload, payload, `string ${index}`)
    }
    cases.assertAll(t, 'each is stored as it was sent')
  })
}

for (const [field, table, unknown] of [
  ['client_id', 'client', 'unknown-client'],
  ['event_type', 'event_type', 'unknown-event-type']
] as const) {
  t.test(`as names in ${field}, unknown at first, then registered`, async t => {
    const outcome = (known: Disposition) => (text: string) =>
      text === '' ? 'missing-field' : isName(text) ? known : 'invalid-field'
    await sendAll(t, text => ({ [field]: text }), outcome(unknown))
    await pool.query('TRUNCATE message, rejection')
    if (table === 'client')
      await pool.query('INSERT INTO client SELECT unnest($1::text[])', [NAUGHTY.filter(isName)])
    else
      await pool.query('INSERT INTO event_type SELECT unnest($1::text[])', [NAUGHTY.filter(isName)])
    await sendAll(t, text => ({ [field]: text }), outcome('stored'))
    const { rows } = await pool.query<{ names: string[] }>(
      table === 'client'
        ? 'SELECT array_agg(fk_client_name ORDER BY fk_client_name) AS names FROM message'
        : 'SELECT array_agg(fk_event_type_name ORDER BY fk_event_type_name) AS names FROM message'
    )
    t.strictSame(
      new Set(rows[0]?.names),
      new Set(NAUGHTY.filter(isName)),
      'each under its own name'
    )
    t.equal(rows[0]?.names.length, NAUGHTY.filter(isName).length)
  })
}

t.test(
  'as ids, codes and messages of failures in the log: one JSON line each, no label',
  async t => {
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: line => void lines.push(line) })
    const metrics = createWorkerMetrics()
    t.teardown(() => metrics.close())
    const { observer, sums } = createIntakeEvents({
      log,
      clock,
      metrics,
      send: () => Promise.resolve()
    })
    const { metrics: primary } = createProcessorMetrics()
    for (const text of NAUGHTY) {
      const message = {
        id: text,
        token: text,
        body: text,
        bytes: 1,
        receiveCount: 1,
        sentAtMs: 0
      }
      const event = {
        clientId: text,
        eventType: text,
        messageId: text,
        payload: JSON.stringify(text),
        schemaId: null
      }
      observer.received([message])
      observer.committed(
        [{ message, verdict: { kind: 'valid', item: event } }],
        ['stored'],
        'free',
        1
      )
      observer.receiveFailed(new QueueError(text, text))
      observer.deleteFailed(text, 1, true)
      observer.extendFailed(text, 1)
      observer.storeFailed(new StoreError('transient', text, text), 1)
      observer.leftToQueue(text, new Error(text))
    }
    const cases = new Cases()
    for (const line of lines) {
      cases.ok(line.endsWith('\n') && !/[\0-\x1f]/.test(line.slice(0, -1)), `one line: ${line}`)
      cases.equal(typeof JSON.parse(line), 'object', line)
    }
    cases.assertAll(t, 'each line is one JSON object')
    primary.totals.reported(1, sums.counts)
    const series = (await primary.text())
      .split('\n')
      .filter(line => line.startsWith('event_process_'))
    t.ok(
      series.every(line =>
        /^event_process_\w+(\{((reason|cause)="[a-z-]+"|client="other"(,reason="[a-z-]+")?)\})? \d+$/.test(
          line
        )
      )
    )
  }
)
