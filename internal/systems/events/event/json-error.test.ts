import fc from 'fast-check'
import t from 'tap'
import { findJsonError } from './json-error.js'

t.test(
  'the offset is the first wrong character, or the length if the text is cut short',
  async t => {
    const rows: [string, number][] = [
      ['', 0],
      ['  ', 2],
      ['hello', 0],
      ['\uFEFF{}', 0],
      ['{} x', 3],
      ['[1,]', 3],
      ['{"a":1,}', 7],
      ['{"a" 1}', 5],
      ['{a:1}', 1],
      ['[1}', 2],
      [']', 0],
      ['tru', 3],
      ['trUe', 2],
      ['"abc', 4],
      ['"a\nb"', 2],
      ['"\\x"', 2],
      ['"\\', 2],
      ['"\\u12', 5],
      ['"\\u12g4"', 5],
      ['-', 1],
      ['01', 1],
      ['1.', 2],
      ['1.e5', 2],
      ['1e', 2],
      ['1e+', 3],
      ['+1', 0],
      ['.5', 0],
      ['NaN', 0],
      ['{"a":[1,{"b":nul}]}', 16]
    ]
    for (const [text, want] of rows) t.equal(findJsonError(text), want, JSON.stringify(text))
  }
)

t.test('JSON has no error, at any depth', async t => {
  const deep = '['.repeat(200_000)
  for (const text of [
    '0',
    '-0.5E-7',
    ' "\\u00e9\\n" ',
    '{"a":[true,false,null,{}],"b":{"c":[]}}',
    `${deep}${']'.repeat(200_000)}`
  ]) {
    t.equal(findJsonError(text), -1, text.slice(0, 40))
  }
  t.equal(findJsonError(deep), 200_000)
})

const alphabet = [
  '"a"',
  '\\u0041',
  'true',
  '12',
  '{"a":',
  '[1,',
  ...Array.from('{}[]:,"\\ \n-+.0123eEtrufalsn\u0000é')
]
const jsonLike = fc
  .array(fc.constantFrom(...alphabet), { maxLength: 12 })
  .map(parts => parts.join(''))
const damaged = fc
  .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', 'x', '\\'))
  .map(
    ([text, at, patch]) =>
      text.slice(0, at % (text.length + 1)) + patch + text.slice((at % (text.length + 1)) + 1)
  )

t.test('it finds an error exactly when JSON.parse does, at the place JSON.parse names', async t => {
  fc.assert(
    fc.property(fc.oneof(jsonLike, damaged, fc.string({ unit: 'binary' })), text => {
      const offset = findJsonError(text)
      try {
        JSON.parse(text)
        return offset === -1
      } catch (error) {
        const named = /at position (\d+)/.exec(String(error))?.[1]
        return named === undefined ? offset >= 0 && offset <= text.length : offset === Number(named)
      }
    }),
    { numRuns: 2_000 }
  )
  t.pass()
})
