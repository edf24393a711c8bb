import fc from 'fast-check'
import t from 'tap'
import { compilePattern } from './linear-pattern.js'

const TEXTS = [
  '',
  'a',
  'A',
  'é',
  '😀',
  '\n',
  '\r',
  '\u2028',
  ' ',
  '\u00a0',
  '\ufeff',
  '\v',
  '\b',
  '\0',
  '\u0001',
  '٣',
  '7',
  '_',
  '-',
  ']',
  '[',
  '.',
  'α',
  'a\nb',
  'ab',
  'a-b',
  '\ud800'
]
const PATTERNS = [
  '.',
  '^.$',
  '^a.b$',
  '\\s',
  '^\\S$',
  '[\\s]',
  '^[^\\s]$',
  '[\\S]',
  '^[^\\S]$',
  '\\d',
  '^\\w$',
  '\\W',
  '\\bé',
  'a\\b',
  '[\\b]',
  '\\u0061',
  '\\u{1F600}',
  '\\ud83d\\ude00',
  '[\\u{1F600}-\\u{1F64F}]',
  '\\cA',
  '\\0',
  '[^]',
  '[]',
  'a|[]',
  '[.]',
  '^[\\]\\[]$',
  '[[.]',
  '[^[]',
  '\\p{L}',
  '\\P{L}',
  '\\p{Lu}',
  '\\p{Script=Greek}',
  '\\p{sc=Greek}',
  '\\p{gc=Ll}',
  '[\\p{L}\\-]',
  '(?<name>a)b',
  '(?:a|b)+$',
  '\\x61',
  '\\/|a',
  '\\t|\\n|\\v|\\f|\\r',
  '^$',
  'a$',
  '^(a|ab)(c|-b)$',
  '^.{2}$',
  'a{1,3}?b',
  '[\\d_-]',
  '\\.',
  '\\[',
  '^[^\\n]$'
]

t.test('a pattern matches what it matches in ECMAScript', async t => {
  for (const pattern of PATTERNS) {
    const ours = compilePattern(pattern)
    const native = new RegExp(pattern, 'u')
    for (const text of TEXTS) {
      if (ours.test(text) !== native.test(text))
        t.fail(
          `${pattern} on ${JSON.stringify(text)}: ECMAScript says ${String(native.test(text))}`
        )
    }
  }
  const piece = fc.constantFrom(
    'a',
    'b',
    '.',
    '\\s',
    '\\S',
    '\\w',
    '[a\\s]',
    '[^\\S]',
    '(?:a|b)',
    '\\u0062',
    '\\d',
    '$',
    '^',
    '|',
    '[^ab]',
    '\\b'
  )
  const pattern = fc
    .array(fc.tuple(piece, fc.constantFrom('', '', '', '*', '+', '?', '{2}')), { maxLength: 6 })
    .map(parts =>
      parts.map(([one, many]) => (/^[\^$|]|^\\b/.test(one) ? one : one + many)).join('')
    )
  fc.assert(
    fc.property(
      pattern,
      fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '1', '\u00a0') }),
      (pattern, text) => {
        return compilePattern(pattern).test(text) === new RegExp(pattern, 'u').test(text)
      }
    ),
    { numRuns: 2_000 }
  )
})

t.test('patterns that are not linear or not ECMAScript are refused', async t => {
  for (const pattern of ['(?=a)', '(?!a)', '(?<=a)b', '(?<!a)b', '(a)\\1', '(?<x>a)\\k<x>']) {
    t.throws(
      () => compilePattern(pattern),
      { name: 'PatternError', message: /cannot run in linear time/ },
      pattern
    )
  }
  for (const pattern of [
    '(',
    '\\Qa\\E',
    '\\z',
    '\\a',
    '(?i)a',
    '[[:alpha:]]',
    'a{,3}',
    '\\-',
    '\\p{Nothing}'
  ]) {
    t.throws(() => compilePattern(pattern), { name: 'PatternError' }, pattern)
  }
})

t.test('the length and the size of a pattern are limited', async t => {
  t.equal(compilePattern('a'.repeat(1_000)).test('a'.repeat(1_000)), true)
  t.throws(() => compilePattern('a'.repeat(1_001)), {
    message: 'the pattern is longer than 1000 characters'
  })
  t.throws(() => compilePattern('a{1000}b{1000}'), { message: /^the pattern is too large \(20/ })
  t.ok(compilePattern('a').size < compilePattern('a{100}').size)
})
