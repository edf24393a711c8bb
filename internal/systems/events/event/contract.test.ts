import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { EVENT_CONTRACT, explainBreach, satisfiesContract } from './contract.js'

const good = { event_type: 'monitor-app', client_id: 'client-1', message: 'all is well' }

/** The breach as `reason field:keyword …`, or `valid`. */
const breach = (body: object): string => {
  if (satisfiesContract(body)) return 'valid'
  const { reason, violations } = explainBreach(body)
  return [
    reason,
    ...violations.map(({ pointer, keyword }) => `${pointer.slice(1)}:${keyword}`)
  ].join(' ')
}
const bodyWith = (over: object): string => breach({ ...good, ...over })

t.test('the smallest and largest value of every field pass', async t => {
  const rows: object[] = [
    {},
    { message: ' ' },
    { message: {} },
    { message: [] },
    { message: [null, 1] },
    { event_type: ' ', client_id: '\t' },
    { client_id: 'x'.repeat(100), event_type: 'é'.repeat(100) },
    { client_id: '😀'.repeat(100), event_type: '😀'.repeat(100) },
    { event_id: null },
    { event_id: 'x' },
    { event_id: 'x'.repeat(255) },
    { event_id: 'é'.repeat(127) + 'x' },
    { unknown: 1, constructor: 'x', toString: null },
    JSON.parse('{"__proto__":{"client_id":""}}') as object
  ]
  for (const over of rows) t.equal(bodyWith(over), 'valid', JSON.stringify(over).slice(0, 60))
})

t.test('all missing fields are listed, whether absent, null or empty', async t => {
  const all = 'missing-field event_type:required client_id:required message:required'
  t.equal(breach({}), all)
  t.equal(breach({ event_type: '', client_id: '', message: '' }), all)
  t.equal(breach({ event_type: null, client_id: null, message: null }), all)
  t.equal(
    breach(JSON.parse('{"__proto__":{"event_type":"a","client_id":"b","message":"c"}}') as object),
    all
  )
  for (const field of ['event_type', 'client_id', 'message'])
    t.equal(bodyWith({ [field]: '' }), `missing-field ${field}:required`)
})

t.test('each field of the wrong type or length is invalid and named', async t => {
  const rows: { over: object; want: string }[] = [
    { over: { client_id: 5 }, want: 'client_id:type' },
    { over: { event_type: ['a'] }, want: 'event_type:type' },
    { over: { message: 0 }, want: 'message:type' },
    { over: { message: false }, want: 'message:type' },
    { over: { event_id: 7 }, want: 'event_id:type' },
    { over: { event_id: '' }, want: 'event_id:minLength' },
    { over: { client_id: 'x'.repeat(101) }, want: 'client_id:maxLength' },
    { over: { event_type: '😀'.repeat(101) }, want: 'event_type:maxLength' },
    { over: { event_id: 'x'.repeat(256) }, want: 'event_id:maxBytes' },
    { over: { event_id: 'é'.repeat(128) }, want: 'event_id:maxBytes' },
    { over: { event_type: {}, event_id: [] }, want: 'event_type:type event_id:type' }
  ]
  for (const { over, want } of rows)
    t.equal(bodyWith(over), `invalid-field ${want}`, JSON.stringify(over).slice(0, 60))
})

t.test('names and ids with U+0000 or a lone surrogate are unstorable', async t => {
  for (const field of ['event_type', 'client_id', 'event_id']) {
    for (const text of ['a\0', '\ud800', '\udc00x'])
      t.equal(bodyWith({ [field]: text }), `unstorable ${field}:storable`)
  }
  t.equal(
    bodyWith({ message: '\0\ud800' }),
    'valid',
    'the payload may hold them: it is stored as escaped text'
  )
})

t.test('all violations are listed; missing outranks invalid, invalid unstorable', async t => {
  t.equal(
    breach({ client_id: 'a\0', message: 5 }),
    'missing-field event_type:required client_id:storable message:type'
  )
  t.equal(
    bodyWith({ client_id: 'a\0', event_id: 1 }),
    'invalid-field client_id:storable event_id:type'
  )
  t.equal(
    bodyWith({ client_id: `\0${'x'.repeat(100)}` }),
    'invalid-field client_id:maxLength client_id:storable'
  )
})

t.test(
  'each message names the field, what was found and what is right; it quotes nothing',
  async t => {
    t.equal(
      explainBreach({ ...good, client_id: '' }).violations[0]?.message,
      'client_id is missing (found an empty string): it must be ' +
        'the name of a registered client, a string of 1 to 100 characters without NUL or lone surrogates'
    )
    t.match(
      explainBreach({ ...good, event_id: 'secret'.repeat(50) }).violations[0]?.message,
      /^event_id is too long \(found a string of 300 char/
    )
    t.match(
      explainBreach({ ...good, message: 4711 }).violations[0]?.message,
      /^message has the wrong type \(found a number\): it must be/
    )
    t.match(
      explainBreach({ ...good, event_type: 'secret\0' }).violations[0]?.message,
      /^event_type holds characters that the database cannot/
    )
    t.notMatch(
      JSON.stringify(
        explainBreach({ event_type: 'secret\0', client_id: ['secret'], message: 4711 })
      ),
      /secret|4711/
    )
  }
)

t.test('the contract is a valid JSON Schema 2020-12 for other validators too', async t => {
  t.ok(new Ajv2020({ strict: false }).validateSchema(EVENT_CONTRACT))
  t.strictSame(JSON.parse(JSON.stringify(EVENT_CONTRACT)), EVENT_CONTRACT)
})
