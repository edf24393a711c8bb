import t from 'tap'
import { StoreError } from '../intake/store.js'
import { classify } from './fault.js'

const withCode = (code: string): Error => Object.assign(new Error(`failed with ${code}`), { code })

const FAULTS = {
  transient: [
    ...[
      '08000',
      '08001',
      '08003',
      '08004',
      '08006',
      '08P01',
      '25006',
      '25P02',
      '25P03',
      '40001',
      '40002',
      '40003',
      '40P01'
    ],
    ...[
      '53000',
      '53100',
      '53200',
      '53300',
      '53400',
      '55000',
      '55006',
      '55P03',
      '57000',
      '57014',
      '57P01',
      '57P02',
      '57P03',
      '57P04',
      '57P05'
    ],
    ...['58000', '58030', '58P01', 'XX000', 'XX001', 'XX002'],
    ...[
      'ECONNREFUSED',
      'ECONNRESET',
      'EPIPE',
      'ETIMEDOUT',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'ENOENT',
      'EMFILE'
    ]
  ],
  data: [
    '21000',
    '22001',
    '22003',
    '22008',
    '22021',
    '22P02',
    '22P05',
    '23502',
    '23503',
    '23505',
    '23514',
    '44000',
    '54000',
    '54001',
    'P0001'
  ],
  schema: [
    '0A000',
    '28000',
    '28P01',
    '3D000',
    '3F000',
    '42501',
    '42601',
    '42703',
    '42P01',
    '42P07',
    '42883'
  ]
} as const

t.test('the code of a failure decides its fault', async t => {
  for (const [fault, codes] of Object.entries(FAULTS)) {
    for (const code of codes)
      t.match(
        classify(withCode(code)),
        { fault, code, message: `failed with ${code}` },
        `${code} is ${fault}`
      )
  }
})

t.test(
  'failures of connection, resources, operator or system are never blamed on a row',
  async t => {
    for (const group of ['08', '53', '57', '58'])
      t.not(classify(withCode(`${group}XYZ`)).fault, 'data', group)
  }
)

t.test('an unknown failure is retried, never blamed on an event', async t => {
  for (const error of [
    withCode('99999'),
    withCode('EWHATEVER'),
    new TypeError('a bug'),
    'a text',
    undefined,
    null,
    {}
  ]) {
    t.equal(classify(error).fault, 'transient')
  }
  t.match(classify(new TypeError('a bug')), { code: 'unknown', message: 'a bug' })
})

t.test('a driver failure without a code is recognised by its wording', async t => {
  const rows = [
    { wording: 'Query read timeout', code: 'ETIMEDOUT' },
    { wording: 'timeout exceeded when trying to connect', code: 'ETIMEDOUT' },
    { wording: 'Connection terminated due to connection timeout', code: 'ETIMEDOUT' },
    { wording: 'Connection terminated unexpectedly', code: 'ECONNRESET' },
    {
      wording: 'Client has encountered a connection error and is not queryable',
      code: 'ECONNRESET'
    }
  ]
  for (const { wording, code } of rows)
    t.match(classify(new Error(wording)), { fault: 'transient', code }, wording)
})

t.test('the cause is kept, and a StoreError passes unchanged', async t => {
  const cause = withCode('40P01')
  t.equal(classify(cause).cause, cause)
  const known = new StoreError('schema', '42P01', 'no table')
  t.equal(classify(known), known)
})
