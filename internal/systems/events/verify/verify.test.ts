import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import type { LedgerEntry } from '../producer/ledger.js'
import { type Accounting, type Depths, formatReport, type Report } from './report.js'
import { type VerifyOptions, verify } from './verify.js'

/** The spelling is part of the payload: 1.10 must not come back as 1.1. */
const PAYLOAD = '{ "amount": 1.10 }'
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const valid = (
  queueMessageId: string,
  eventId: string | null = null,
  over: Partial<LedgerEntry> = {}
): LedgerEntry => ({
  queueMessageId,
  clientId: 'client-1',
  eventType: 'user-app',
  eventId,
  payloadSha256: sha256(PAYLOAD),
  valid: true,
  bytes: 350,
  ...over
})
const invalid = (queueMessageId: string, eventId: string | null = null): LedgerEntry =>
  valid(queueMessageId, eventId, { valid: false, payloadSha256: null, clientId: 'client-2' })

/** Four events of two clients, one sent three times and one that must be refused. */
const LEDGER = [
  valid('q1', 'e1'),
  valid('q2', 'e1'),
  valid('q3'),
  invalid('q4'),
  valid('q5', 'e5', { clientId: 'client-3' }),
  valid('q6', 'e1')
]

const OUTCOME = `
  INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message) VALUES
    ('client-1', 'user-app', 'e1', '${PAYLOAD}'),
    ('client-1', 'user-app', 'q3', '${PAYLOAD}'),
    ('client-3', 'user-app', 'e5', '${PAYLOAD}');
  INSERT INTO rejection (queue_message_id, reason, violations, body, receive_count)
  VALUES ('q4', 'not-json', '[]', 'no event', 1)`
const store = (client: string, id: string, payload = PAYLOAD): string =>
  `INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message)
   VALUES ('${client}', 'user-app', '${id}', '${payload}')`
const reject = (id: string, reason: string, origin: string | null = null): string =>
  `INSERT INTO rejection (queue_message_id, reason, violations, body, receive_count, origin_queue_message_id)
   VALUES ('${id}', '${reason}', '[]', 'a body', 1, ${origin === null ? 'NULL' : `'${origin}'`})`
const redrive = (id: string): string =>
  `UPDATE rejection SET redriven_at = now() WHERE queue_message_id = '${id}'`

async function* each(entries: readonly LedgerEntry[]): AsyncGenerator<LedgerEntry> {
  yield* entries
}

const database = await createTestDatabase(t)

interface Planted extends Partial<VerifyOptions> {
  readonly ledger?: never
  readonly entries?: readonly LedgerEntry[]
  readonly depth?: Depths
  /** SQL that is run on a correct database. */
  readonly fault?: string
}

/** Verifies a correct database into which `fault` has been planted. */
async function examine(planted: Planted = {}): Promise<Report> {
  const { entries = LEDGER, depth = { queue: 0, deadLetters: 0 }, fault = '', ...over } = planted
  const db = await database.pool.connect()
  try {
    await db.query(`TRUNCATE message, rejection; ${OUTCOME}; ${fault}`)
    return await verify({
      ledger: each(entries),
      tornLine: () => null,
      db,
      depths: async () => depth,
      metricTotals: null,
      waitMs: 0,
      clock: createManualClock(),
      signal: new AbortController().signal,
      ...over
    })
  } finally {
    // Temporary tables end with their session.
    db.release(true)
  }
}

const FAULTS = ['lost', 'duplicateRows', 'altered', 'both', 'wrong'] as const
const faultsOf = (report: Report): Record<string, number> =>
  Object.fromEntries(
    FAULTS.map(name => [name, name === 'lost' ? report.lost : report.total[name]] as const).filter(
      ([, count]) => count > 0
    )
  )

function figures({
  sent,
  events,
  stored,
  duplicates,
  rejected,
  unaccounted
}: Accounting): number[] {
  return [sent, events, stored, duplicates, rejected, unaccounted]
}

t.test('a run without faults is ok, with its figures per client and in total', async t => {
  const report = await examine()
  t.equal(report.ok, true)
  t.same(faultsOf(report), {})
  t.same(figures(report.total), [6, 4, 3, 2, 1, 0])
  t.same(
    report.clients.map(client => [client.clientId, ...figures(client)]),
    [
      ['client-1', 4, 2, 2, 2, 0, 0],
      ['client-2', 1, 1, 0, 0, 1, 0],
      ['client-3', 1, 1, 1, 0, 0, 0]
    ]
  )
  t.same(report.total.rejectedByReason, { 'not-json': 1 })
  t.match(formatReport(report), /^OK: /m)
})

t.test('each kind of fault is found and named', async t => {
  const rows: {
    why: string
    fault: string
    entries?: readonly LedgerEntry[]
    want: Record<string, number>
    example?: string
  }[] = [
    {
      why: 'a missing row',
      fault: `DELETE FROM message WHERE message_id = 'q3'`,
      want: { lost: 1 },
      example: 'q3'
    },
    {
      why: 'a missing row of an event sent three times',
      fault: `DELETE FROM message WHERE message_id = 'e1'`,
      want: { lost: 1 },
      example: 'e1'
    },
    {
      why: 'a missing rejection',
      fault: 'DELETE FROM rejection',
      want: { lost: 1 },
      example: 'q4'
    },
    {
      why: 'a payload that was parsed and written again',
      fault: `UPDATE message SET message = '{"amount":1.1}' WHERE message_id = 'e1'`,
      want: { altered: 1 },
      example: 'e1'
    },
    {
      why: 'another event type',
      fault: `UPDATE message SET fk_event_type_name = 'monitor-app' WHERE message_id = 'e5'`,
      want: { altered: 1 },
      example: 'e5'
    },
    {
      why: 'a second row under a queue message id',
      fault: store('client-1', 'q2'),
      want: { duplicateRows: 1 },
      example: 'e1'
    },
    {
      why: 'stored under the wrong id',
      fault: `UPDATE message SET message_id = 'q5' WHERE message_id = 'e5'`,
      want: { wrong: 1 },
      example: 'e5'
    },
    {
      why: 'stored for another client',
      fault: `UPDATE message SET fk_client_name = 'client-2' WHERE message_id = 'e5'`,
      want: { lost: 1 },
      example: 'e5'
    },
    {
      why: 'stored and rejected',
      fault: reject('q3', 'invalid-field'),
      want: { both: 1 },
      example: 'q3'
    },
    {
      why: 'invalid, yet stored',
      fault: `DELETE FROM rejection; ${store('client-2', 'q4')}`,
      want: { wrong: 1 },
      example: 'q4'
    },
    {
      why: 'invalid, stored and rejected',
      fault: store('client-2', 'q4'),
      want: { both: 1 },
      example: 'q4'
    },
    {
      why: 'invalid, yet stored under its event id',
      entries: [...LEDGER, invalid('q7', 'e7')],
      fault: store('client-2', 'e7'),
      want: { wrong: 1 },
      example: 'q7'
    },
    {
      why: 'valid, yet rejected',
      fault: `DELETE FROM message WHERE message_id = 'q3'; ${reject('q3', 'unknown-client')}`,
      want: { wrong: 1 },
      example: 'q3'
    },
    {
      why: 'a conflict between equal sends',
      fault: reject('q2', 'conflict'),
      want: { wrong: 1 },
      example: 'e1'
    }
  ]
  for (const { why, fault, entries = LEDGER, want, example } of rows) {
    const report = await examine({ fault, entries })
    t.same(faultsOf(report), want, why)
    t.equal(report.ok, false, why)
    t.same(
      [...new Set(report.examples.map(({ messageId }) => messageId))],
      [example],
      `${why}: the example`
    )
    t.match(
      formatReport(report),
      new RegExp(
        `^FAULT ${Object.keys(want).join()} 1: .*\n  client-[123]  message id ${example ?? ''}  `,
        'm'
      ),
      why
    )
    t.equal(
      report.total.sent,
      report.total.stored +
        report.total.duplicates +
        report.total.rejected +
        report.total.unaccounted,
      why
    )
  }
})

t.test('two rows with one key are found, even without the primary key', async t => {
  const db = await database.pool.connect()
  t.teardown(() => db.release(true))
  await db.query('ALTER TABLE message DROP CONSTRAINT message_pkey')
  const report = await examine({ fault: store('client-1', 'q3') })
  t.same(faultsOf(report), { duplicateRows: 1 })
  await db.query(
    'TRUNCATE message; ALTER TABLE message ADD PRIMARY KEY (fk_client_name, message_id)'
  )
})

t.test('of two contents with one event id, one is stored and the other is a conflict', async t => {
  const entries = [valid('q1', 'e1'), valid('q2', 'e1', { payloadSha256: sha256('"other"') })]
  const clean = `DELETE FROM message WHERE message_id <> 'e1'; DELETE FROM rejection`
  const settled = await examine({ entries, fault: `${clean}; ${reject('q2', 'conflict')}` })
  t.same([settled.ok, faultsOf(settled)], [true, {}])
  t.same(figures(settled.total), [2, 1, 1, 0, 1, 0])
  const swallowed = await examine({ entries, fault: clean })
  t.same([swallowed.ok, faultsOf(swallowed)], [false, { lost: 1 }])
})

t.test('a redriven rejection counts only until its event is stored', async t => {
  const redriven = (id: string, reason: string): string => `${reject(id, reason)}; ${redrive(id)}`
  const gone = `DELETE FROM message WHERE message_id = 'q3'`
  const rows: {
    why: string
    entries?: readonly LedgerEntry[]
    fault: string
    want: Record<string, number>
    rejected: number
  }[] = [
    {
      why: 'valid, redriven and stored',
      fault: redriven('q3', 'unknown-client'),
      want: {},
      rejected: 1
    },
    {
      why: 'valid, redriven and on its way',
      fault: `${gone}; ${redriven('q3', 'unknown-client')}`,
      want: { wrong: 1 },
      rejected: 2
    },
    {
      why: 'invalid, redriven and stored',
      fault: `UPDATE rejection SET redriven_at = now(); ${store('client-2', 'q4')}`,
      want: {},
      rejected: 0
    },
    {
      why: 'invalid, redriven and stored under its event id',
      entries: [...LEDGER, invalid('q7', 'e7')],
      fault: `${redriven('q7', 'unknown-client')}; ${store('client-2', 'e7')}`,
      want: {},
      rejected: 1
    },
    {
      why: 'not redriven, yet stored',
      fault: reject('q3', 'unknown-client'),
      want: { both: 1 },
      rejected: 2
    },
    {
      why: 'a conflict stays a conflict',
      fault: redriven('q2', 'conflict'),
      want: { wrong: 1 },
      rejected: 2
    }
  ]
  for (const { why, entries = LEDGER, fault, want, rejected } of rows) {
    const report = await examine({ entries, fault })
    t.same(faultsOf(report), want, why)
    t.equal(report.total.rejected, rejected, why)
  }
})

t.test(
  'a refused copy counts for its original send, and valid sends may exceed a quota',
  async t => {
    const gone = `DELETE FROM message WHERE message_id = 'q3'`
    const refusedTwice =
      `${reject('q3', 'over-quota')}; ${redrive('q3')}; ` + reject('copy', 'over-quota', 'q3')
    const rows: {
      why: string
      fault: string
      want: Record<string, number>
      reasons: Record<string, number>
      unlisted?: number
    }[] = [
      {
        why: 'over its quota',
        fault: `${gone}; ${reject('q3', 'over-quota')}`,
        want: {},
        reasons: { 'over-quota': 1 }
      },
      {
        why: 'over its quota, and an equal send is stored',
        fault: reject('q2', 'over-quota'),
        want: {},
        reasons: { 'over-quota': 1 }
      },
      {
        why: 'without an id, over its quota and stored',
        fault: reject('q3', 'over-quota'),
        want: { both: 1 },
        reasons: { 'over-quota': 1 }
      },
      {
        why: 'redriven, and refused again',
        fault: `${gone}; ${refusedTwice}`,
        want: {},
        reasons: { 'over-quota': 1 }
      },
      {
        why: 'redriven twice, and stored',
        fault: `${refusedTwice}; ${redrive('copy')}`,
        want: {},
        reasons: {}
      },
      {
        why: 'redriven, but nowhere to be found',
        fault: `${gone}; ${reject('q3', 'over-quota')}; ${redrive('q3')}`,
        want: { lost: 1 },
        reasons: {}
      },
      {
        why: 'the database refuses a delayed copy, and its original is deleted',
        fault: `DELETE FROM rejection; ${reject('copy', 'unknown-event-type', 'q4')}`,
        want: {},
        reasons: { 'unknown-event-type': 1 }
      },
      {
        why: 'valid, but refused as a copy',
        fault: `${gone}; ${reject('copy', 'unknown-client', 'q3')}`,
        want: { wrong: 1 },
        reasons: { 'unknown-client': 1 }
      },
      {
        why: 'a send of another producer',
        fault: reject('copy', 'over-quota', 'q0'),
        want: {},
        reasons: {},
        unlisted: 1
      }
    ]
    for (const { why, fault, want, reasons, unlisted = 0 } of rows) {
      const report = await examine({ fault })
      t.same(faultsOf(report), want, why)
      const others = Object.fromEntries(
        Object.entries(report.total.rejectedByReason).filter(([reason]) => reason !== 'not-json')
      )
      t.same(others, reasons, `${why}: the reasons`)
      t.equal(report.unlistedRejections, unlisted, `${why}: rows of others`)
      t.equal(
        report.total.sent,
        report.total.stored +
          report.total.duplicates +
          report.total.rejected +
          report.total.unaccounted,
        why
      )
    }
  }
)

t.test('messages delayed by a quota are reported as delayed', async t => {
  const fault = `DELETE FROM message WHERE message_id = 'q3'`
  const report = await examine({ fault, depth: { queue: 3, delayed: 2, deadLetters: 0 } })
  t.match(report, { ok: true, lost: 0, stillQueued: 1 })
  t.match(formatReport(report), 'in the queue 3 (2 of them delayed), in the dead-letter queue 0')
})

t.test(
  'queued and dead-lettered messages are not lost, and each accounts for one send',
  async t => {
    const fault = `DELETE FROM message WHERE message_id <> 'e1'`
    const rows = [
      { depth: { queue: 2, deadLetters: 0 }, want: [2, 0, 0], ok: true },
      { depth: { queue: 1, deadLetters: 5 }, want: [1, 1, 0], ok: true },
      { depth: { queue: 0, deadLetters: 1 }, want: [0, 1, 1], ok: false },
      { depth: { queue: 9, deadLetters: 9 }, want: [2, 0, 0], ok: true }
    ]
    for (const { depth, want, ok } of rows) {
      const report = await examine({ fault, depth })
      t.same([report.stillQueued, report.deadLettered, report.lost], want)
      t.equal(report.ok, ok)
    }
  }
)

t.test('rows of other producers are not a fault, and a repeated line is one send', async t => {
  const report = await examine({
    entries: [...LEDGER, valid('q3')],
    fault: `${store('client-2', 'stranger')}; ${reject('strange', 'not-json')}`
  })
  t.match(report, {
    ok: true,
    unlistedMessages: 1,
    unlistedRejections: 1,
    messageRows: 4,
    rejectionRows: 2
  })
  t.equal(report.total.sent, 6)
  t.match(formatReport(report), 'not in this ledger: 1 rows of message, 1 of rejection')
})

t.test('an empty ledger, a torn line and unstorable names can be verified', async t => {
  t.same(figures((await examine({ entries: [] })).total), [0, 0, 0, 0, 0, 0])
  const report = await examine({
    entries: [...LEDGER, { ...invalid('q8', '\0'), clientId: 'a\0b' }],
    fault: reject('q8', 'unstorable'),
    tornLine: () => 8
  })
  t.equal(report.ok, true)
  t.match(formatReport(report), 'line 8 of the ledger was torn')
})

t.test('metrics are compared with all rows on request, and a difference is a fault', async t => {
  const equal = await examine({ metricTotals: async () => ({ stored: 3, rejected: 1 }) })
  t.equal(equal.ok, true)
  t.match(formatReport(equal), 'stored: /metrics 3, rows 3, equal')
  const different = await examine({ metricTotals: async () => ({ stored: 3, rejected: 2 }) })
  t.match(different, { ok: false, metrics: { rejected: { metric: 2, rows: 1, isEqual: false } } })
  t.match(formatReport(different), /rejected: \/metrics 2, rows 1, DIFFERENT\n(.*\n)*NOT OK/)
  t.equal((await examine()).metrics, null)
})

/** Verifies with a wait; each of `looks` gives the depths for one look. */
async function examineWaiting(
  t: Test,
  waitMs: number,
  looks: readonly (() => Depths | Promise<Depths>)[],
  over: Planted = {}
) {
  const clock = createManualClock()
  const done = { is: false }
  let asked = 0
  const depths = async (): Promise<Depths> =>
    (looks[Math.min(asked++, looks.length - 1)] ?? t.fail)() as Depths
  const report = examine({ ...over, waitMs, clock, depths }).finally(() => (done.is = true))
  // The clock stands still while the database works, and moves only in pauses.
  while (!done.is) await clock.advanceAsync(clock.pending() > 0 ? 100 : 0)
  return { report: await report, asked, waitedMs: clock.monotonicMs() }
}

t.test('a wait ends as soon as the queue is drained and everything is accounted for', async t => {
  const late = async (): Promise<Depths> => {
    await database.pool.query(store('client-1', 'q3'))
    return { queue: 0, deadLetters: 0 }
  }
  const fault = `DELETE FROM message WHERE message_id = 'q3'`
  const { report, asked } = await examineWaiting(
    t,
    60_000,
    [() => ({ queue: 1, deadLetters: 0 }), () => ({ queue: 0, deadLetters: 0 }), late],
    { fault }
  )
  t.equal(report.ok, true)
  t.equal(asked, 3)
})

t.test('a wait ends after its time with the report of that moment', async t => {
  const { report, waitedMs } = await examineWaiting(
    t,
    2_000,
    [() => ({ queue: 0, deadLetters: 0 })],
    { fault: 'DELETE FROM rejection' }
  )
  t.same(faultsOf(report), { lost: 1 })
  t.equal(waitedMs, 2_000)
})

t.test('dead letters do not prolong a wait', async t => {
  const { report, asked } = await examineWaiting(
    t,
    60_000,
    [() => ({ queue: 0, deadLetters: 1 })],
    { fault: 'DELETE FROM rejection' }
  )
  t.match(report, { ok: true, deadLettered: 1 })
  t.equal(asked, 1)
})
