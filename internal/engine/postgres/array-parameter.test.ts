import fc from 'fast-check'
import t from 'tap'
import { createTestDatabase } from '../../lab/testing/database.js'
import { StoreError } from '../intake/store.js'
import { encodeIntArray, encodeTextArray } from './array-parameter.js'

const { pool } = await createTestDatabase(t, { isMigrated: false })

async function readBack(values: readonly (string | null)[]): Promise<readonly (string | null)[]> {
  const { rows } = await pool.query<{ value: string | null }>(
    'SELECT value FROM unnest($1::text[]) WITH ORDINALITY AS t (value, n) ORDER BY n',
    [encodeTextArray(values)]
  )
  return rows.map(row => row.value)
}

t.test('PostgreSQL reads back any text without NUL, and null, in the same order', async t => {
  const text = fc
    .oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string())
    .map(value => value.replaceAll('\0', ''))
  const values = fc.array(fc.option(text, { nil: null }), { maxLength: 50 })
  await fc.assert(
    fc.asyncProperty(values, async list => {
      t.strictSame(await readBack(list), list)
    }),
    { numRuns: 100 }
  )
})

t.test('quotes, braces, the word NULL, empty texts and an empty list are read back', async t => {
  const values = [
    '',
    'NULL',
    null,
    '{"a","b"}',
    '\\',
    "'",
    ',',
    ' ',
    '\n',
    'é',
    '日本',
    '🎫',
    '\u0001'
  ]
  t.strictSame(await readBack(values), values)
  t.strictSame(await readBack([]), [])
  t.strictSame(await readBack([null]), [null])
  const long = ['x'.repeat(1_048_576), 'é'.repeat(500_000)]
  t.strictSame(await readBack(long), long)
})

t.test('integers are read back as they are, with null and in their order', async t => {
  const readIntegers = async (
    values: readonly (number | null)[]
  ): Promise<readonly (number | null)[]> => {
    const { rows } = await pool.query<{ value: number | null }>(
      'SELECT value FROM unnest($1::int4[]) WITH ORDINALITY AS t (value, n) ORDER BY n',
      [encodeIntArray(values)]
    )
    return rows.map(row => row.value)
  }
  for (const values of [[], [null], [1], [0, -1, null, 2_147_483_647, null, -2_147_483_648, 256]]) {
    t.strictSame(await readIntegers(values), values)
  }
})

t.test('a lone surrogate is refused instead of replaced', async t => {
  for (const value of ['\ud800', 'a\udc00', '\udc00\ud800']) {
    t.throws(
      () => encodeTextArray(['fine', value]),
      new StoreError('data', '22021', 'a text holds a lone surrogate, which UTF-8 cannot carry')
    )
  }
  t.strictSame(await readBack(['\ud83c\udfab']), ['🎫'], 'a pair is one character')
})

t.test('NUL is refused by the server', async t => {
  await t.rejects(readBack(['a\0b']), { code: '22021' })
})
