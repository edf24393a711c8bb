/**
 * Hostile bodies through the intake into a real PostgreSQL: each has its one outcome, and
 * its batch-mates hardly notice.
 */
import fc from 'fast-check'
import t from 'tap'
import { Cases } from '../../../lab/testing/cases.js'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { HOSTILE_BODIES } from '../../../lab/testing/hostile-bodies/corpus.js'
import { HOSTILE_SCHEMA } from '../../../lab/testing/hostile-bodies/schemas.js'
import { createWholeIntake, type Fate } from '../../../lab/testing/whole-intake.js'
import { createDecoder, type Decoder } from '../event/decode.js'
import { createPayloadSchemas } from '../schemas/payload-schemas.js'

const { connectionString, pool } = await createTestDatabase(t)
const payloadSchemas = createPayloadSchemas()
payloadSchemas.replace([HOSTILE_SCHEMA])
const decode = createDecoder({ payloadSchemas })

/** Accepts whatever a body claims, as if nothing were checked before the database. */
const trust: Decoder = ({ id, body }) => {
  const claim = JSON.parse(body) as {
    clientId?: string
    eventType?: string
    messageId?: string
    payload?: string
  }
  const item = {
    clientId: 'client-1',
    eventType: 'monitor-app',
    messageId: id,
    payload: '"hello"',
    schemaId: null,
    ...claim
  }
  return { kind: 'valid', item }
}

t.beforeEach(() => pool.query('TRUNCATE message, rejection'))

const good = (n: number): string =>
  JSON.stringify({ event_type: 'monitor-app', client_id: 'client-1', message: { good: n } })
const isStoredAs = ({ row }: Fate, payload: string): boolean =>
  row?.kind === 'message' && row.payload === payload

/** Too few to be a flood, so all of them form one batch, whoever their clients are. */
const TOGETHER = 9

t.test(
  'a hostile body among eight good ones has its one outcome; the eight are stored',
  async t => {
    const intake = createWholeIntake(t, connectionString, pool, decode)
    const cases = new Cases()
    for (const [
      index,
      { name, body, outcome, first, payload, messageId }
    ] of HOSTILE_BODIES.entries()) {
      if (first !== undefined) await intake.process([first])
      const place = index % TOGETHER
      const { fates, attempts } = await intake.process(
        Array.from({ length: TOGETHER }, (_, n) => (n === place ? body : good(n)))
      )
      const { disposition, row } = fates[place]!
      cases.equal(disposition, outcome, name)
      cases.equal(attempts, 1, `${name}: no second attempt`)
      cases.ok(
        fates.every((fate, n) => n === place || isStoredAs(fate, `{"good":${n}}`)),
        `${name}: the good ones are stored`
      )
      if (outcome === 'stored') {
        cases.ok(
          row?.kind === 'message' && row.payload === payload,
          `${name}: stored character for character`
        )
        if (messageId !== undefined)
          cases.ok(row?.kind === 'message' && row.messageId === messageId, `${name}: under its id`)
      } else if (outcome === 'duplicate') {
        cases.equal(row, null, `${name}: no row`)
      } else {
        cases.ok(
          row?.kind === 'rejection' && row.reason === outcome && row.violations.length > 0,
          `${name}: rejected with its reason`
        )
        cases.ok(
          row?.kind === 'rejection' && row.body === body,
          `${name}: kept character for character`
        )
      }
    }
    cases.assertAll(t, 'each body has its one outcome')
  }
)

/** What the database alone refuses when nothing is checked before it. */
const REFUSED_BY_THE_DATABASE: Readonly<Record<string, readonly [claim: object, code: string]>> = {
  'U+0000 in an id': [{ messageId: 'a\0b' }, '22021'],
  'U+0000 in a client': [{ clientId: 'a\0b' }, '22021'],
  'a lone surrogate in an id': [{ messageId: 'a\ud800' }, '22021'],
  'a lone surrogate in an event type': [{ eventType: '\udc00' }, '22021'],
  'an empty id': [{ messageId: '' }, '23514'],
  'an id of 256 bytes': [{ messageId: 'é'.repeat(128) }, '23514'],
  'a payload that is not JSON': [{ payload: '{"secret":' }, '22P02'],
  'a payload that is 100,000 deep': [
    { payload: '['.repeat(100_000) + ']'.repeat(100_000) },
    '54001'
  ],
  'a payload that a trigger refuses': [{ payload: '"refused by a trigger"' }, 'P0001'],
  'a payload that a constraint refuses': [{ payload: '"refused by a constraint"' }, '23514']
}

t.before(() =>
  pool.query(
    `ALTER TABLE message ADD CONSTRAINT by_a_constraint CHECK (message::text NOT LIKE '%refused by a constraint%');
     CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
     CREATE TRIGGER refuse BEFORE INSERT ON message FOR EACH ROW
       WHEN (NEW.message::text LIKE '%by a trigger%') EXECUTE FUNCTION refuse()`
  )
)

/** Halving a batch of n costs two attempts per level, and one for the rejection. */
const allowed = (n: number): number => 1 + 2 * Math.ceil(Math.log2(n)) + 2

t.test('unchecked, one bad row is found by halving and refused with its SQLSTATE', async t => {
  const intake = createWholeIntake(t, connectionString, pool, trust)
  for (const [what, [claim, code]] of Object.entries(REFUSED_BY_THE_DATABASE)) {
    const body = JSON.stringify(claim)
    const { fates, attempts } = await intake.process(
      Array.from({ length: 10 }, (_, n) => (n === 6 ? body : '{}'))
    )
    const { disposition, row } = fates[6]!
    t.equal(disposition, 'unstorable', what)
    t.ok(row?.kind === 'rejection' && row.body === body, `${what}: kept character for character`)
    t.match(row?.kind === 'rejection' ? row.violations[0]?.message : '', code, what)
    t.equal(
      fates.filter(fate => isStoredAs(fate, '"hello"')).length,
      9,
      `${what}: the others are stored`
    )
    t.ok(attempts <= allowed(10), `${what}: ${attempts} attempts`)
  }
})

t.test(
  'one bad row costs at most two attempts per halving and two more, wherever it is',
  async t => {
    const intake = createWholeIntake(t, connectionString, pool, trust)
    const bad = JSON.stringify({ payload: '"refused by a trigger"' })
    const cases = new Cases()
    for (const n of [1, 2, 3, 5, 8, 9, 10, 33, 64, 100, 256, 1_000]) {
      for (const place of new Set([0, Math.floor(n / 3), n >> 1, n - 1])) {
        const { fates, attempts } = await intake.process(
          Array.from({ length: n }, (_, at) => (at === place ? bad : '{}'))
        )
        const what = `row ${place} of ${n}`
        cases.equal(fates[place]?.disposition, 'unstorable', what)
        const stored = fates.filter(({ disposition }) => disposition === 'stored').length
        cases.equal(stored, n - 1, `the others of ${what}`)
        cases.ok(attempts <= allowed(n), `${attempts} attempts for ${what}`)
      }
    }
    cases.assertAll(t, 'it is found, and the others are stored')
  }
)

t.test('many bad rows in one batch cost a halving each, and no good row is lost', async t => {
  const intake = createWholeIntake(t, connectionString, pool, trust)
  const n = 300
  const kinds = Object.values(REFUSED_BY_THE_DATABASE).map(([claim]) => JSON.stringify(claim))
  const bodies = Array.from({ length: n }, (_, at) =>
    at % 20 === 7 ? kinds[((at - 7) / 20) % kinds.length]! : '{}'
  )
  const { fates, attempts } = await intake.process(bodies)
  const cases = new Cases()
  for (const [at, { body, disposition, row }] of fates.entries()) {
    cases.equal(disposition, body === '{}' ? 'stored' : 'unstorable', `row ${at}`)
    cases.ok(row?.kind === 'message' || row?.body === body, `row ${at} is kept`)
  }
  cases.assertAll(t, 'each has its outcome')
  t.ok(attempts <= (n / 20) * allowed(n), `${attempts} attempts`)
})

const SMALL = HOSTILE_BODIES.filter(
  ({ first, body }) => first === undefined && body.length < 20_000
)
/** How many batches are drawn from each seed. */
const BATCHES = Number(process.env['HOSTILE_BATCHES'] ?? 50)
/** A row of a batch: good, or hostile in one case of twenty. */
const row = fc.oneof(
  {
    weight: 19,
    arbitrary: fc
      .nat({ max: 999 })
      .map(n => ({ body: good(n), outcome: 'stored' as const, payload: `{"good":${n}}` }))
  },
  { weight: 1, arbitrary: fc.constantFrom(...SMALL) }
)

for (const [kind, seed] of [
  ['a fixed seed', 20_260_102],
  ['a new seed', Math.floor(Math.random() * 2 ** 31)]
] as const) {
  t.test(
    `one row in twenty hostile: good ones are stored, bad ones refused, with ${kind}`,
    async t => {
      t.comment(`seed ${seed}`)
      const intake = createWholeIntake(t, connectionString, pool, decode)
      let [rows, hostile] = [0, 0]
      await fc.assert(
        fc.asyncProperty(
          fc.array(row, { minLength: 10, maxLength: 60, size: 'max' }),
          async batch => {
            await pool.query('TRUNCATE message, rejection')
            const { fates } = await intake.process(batch.map(({ body }) => body))
            const ids = new Set<string>()
            const cases = new Cases()
            for (const [index, { body, outcome, ...rest }] of batch.entries()) {
              const fate = fates[index]!
              rows += 1
              if ('name' in rest) hostile += 1
              // The same id twice in a batch is one event.
              const isRepeated =
                'messageId' in rest && ids.size === ids.add(rest.messageId ?? '').size
              cases.equal(fate.disposition, isRepeated ? 'duplicate' : outcome, body)
              if (isRepeated) continue
              if (outcome === 'stored') cases.ok(isStoredAs(fate, rest.payload ?? ''), body)
              else
                cases.ok(
                  fate.row?.kind === 'rejection' &&
                    fate.row.reason === outcome &&
                    fate.row.body === body,
                  body
                )
            }
            const { rows: counts } = await pool.query<{ n: number }>(
              'SELECT (SELECT count(*) FROM message)::int + (SELECT count(*) FROM rejection)::int AS n'
            )
            cases.equal(
              counts[0]?.n,
              fates.filter(({ disposition }) => disposition !== 'duplicate').length,
              'and there is no other row'
            )
            cases.throwFailures()
          }
        ),
        { numRuns: BATCHES, seed }
      )
      t.comment(`${rows} rows, ${hostile} of them hostile`)
      t.ok(hostile > rows / 60)
    }
  )
}
