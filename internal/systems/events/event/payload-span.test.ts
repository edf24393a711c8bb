import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { findPayload } from './payload-span.js'

const cut = (body: string): string | null => {
  const { start, end } = findPayload(body)
  return start === -1 ? null : body.slice(start, end)
}

t.test('the span is the text of the top-level message value without outer space', async t => {
  const rows: [string, string | null][] = [
    ['{"message":"a"}', '"a"'],
    ['{"a":1,"message":{"b":[1, 2]},"c":2}', '{"b":[1, 2]}'],
    [' {\n"message"\t: \r\n [ 1 ] \n, "z" : 0 } ', '[ 1 ]'],
    ['{"message": -1.5e3 }', '-1.5e3'],
    ['{"message":null}', 'null'],
    ['{"a":{"message":1},"b":[{"message":2}]}', null],
    ['{"a":{"message":1},"message":3,"b":{"message":2}}', '3'],
    ['{"message":{"message":1}}', '{"message":1}'],
    ['{"message":1,"a":"message","message":"last","b":0}', '"last"'],
    ['{"message":1,"mess\\u0061ge":2}', '2'],
    ['{"\\u006d\\u0065\\u0073\\u0073\\u0061\\u0067\\u0065":1}', '1'],
    ['{"messages":1,"messag":2,"Message":3,"\\\\message":4,"m\\u0065ssages":5}', null],
    ['{"a":"\\"message\\":1}","message":"x\\\\"}', '"x\\\\"'],
    ['{"message":"}],{\\"[\\\\\\""}', '"}],{\\"[\\\\\\""'],
    ['{"a\\"":"\\\\","message":"\\\\\\\\\\""}', '"\\\\\\\\\\""'],
    ['{"__proto__":{"message":1}}', null],
    ['{}', null]
  ]
  for (const [body, want] of rows) t.equal(cut(body), want, body)
})

t.test('depth counts objects and arrays open at once anywhere in the body', async t => {
  t.equal(findPayload('{}').depth, 1)
  t.equal(findPayload('{"a":"[[[[","b":[]}').depth, 2)
  t.equal(findPayload('{"a":[[1],{"b":{}}],"message":1}').depth, 4)
  t.equal(findPayload(`{"message":${'['.repeat(500_000)}${']'.repeat(500_000)}}`).depth, 500_001)
})

t.test('the scan ends on text that is not JSON', async t => {
  for (const body of ['"', '{"a', '{"message":"x\\"}', '}}}{'])
    t.equal(typeof findPayload(body).depth, 'number', body)
})

interface Text {
  readonly text: string
  readonly depth: number
}

const space = fc
  .array(fc.constantFrom(' ', '\n', '\r', '\t'), { maxLength: 2 })
  .map(parts => parts.join(''))

/** A string's text, with each UTF-16 unit escaped or not at random. */
const stringText = (content: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(content, fc.infiniteStream(fc.boolean())).map(([value, escape]) => {
    const units = Array.from({ length: value.length }, (_, at) => {
      const unit = value.charAt(at)
      const mustEscape = unit < ' ' || unit === '"' || unit === '\\'
      if (!mustEscape && escape.next().value !== true) return unit
      if ('"\\'.includes(unit) && escape.next().value === true) return `\\${unit}`
      return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
    })
    return `"${units.join('')}"`
  })

const key = stringText(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('message', 'messages', '__proto__', 'm') },
    fc.string({ maxLength: 8 })
  )
)
const spaced = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(space, text, space).map(parts => parts.join(''))
const deepest = (items: readonly Text[]): number => Math.max(0, ...items.map(item => item.depth))

const { object } = fc.letrec<{ value: Text; object: Text }>(tie => {
  const value = tie('value')
  const scalar = fc.oneof(
    stringText(
      fc.string({
        unit: fc.constantFrom('"', '\\', '{', '}', '[', ',', ':', 'a', '\ud83d', '😀'),
        maxLength: 6
      })
    ),
    fc.constantFrom('true', 'null', '-0', '1e400', '12345678901234567890')
  )
  const spacedValue = fc
    .tuple(space, value, space)
    .map(([before, { text, depth }, after]) => ({ text: before + text + after, depth }))
  const member = fc
    .tuple(spaced(key), spacedValue)
    .map(([name, { text, depth }]) => ({ text: `${name}:${text}`, depth }))
  const wrap = (open: string, close: string, item: fc.Arbitrary<Text>): fc.Arbitrary<Text> =>
    fc.tuple(space, fc.array(item, { maxLength: 4 })).map(([inside, items]) => ({
      text: open + (items.length > 0 ? items.map(({ text }) => text).join(',') : inside) + close,
      depth: 1 + deepest(items)
    }))
  return {
    value: fc.oneof(
      { depthSize: 'small' },
      scalar.map(text => ({ text, depth: 0 })),
      wrap('[', ']', spacedValue),
      tie('object')
    ),
    object: wrap('{', '}', member)
  }
})

t.test('in any formatting the span parses to JSON.parse’s message, and depth is right', async t => {
  let found = 0
  fc.assert(
    fc.property(fc.tuple(space, object, space), ([before, { text, depth }, after]) => {
      const body = before + text + after
      const parsed = JSON.parse(body) as object
      const span = findPayload(body)
      if (span.depth !== depth) return false
      if (!Object.hasOwn(parsed, 'message')) return span.start === -1
      found++
      const payload = body.slice(span.start, span.end)
      return (
        payload.trim() === payload &&
        isDeepStrictEqual(JSON.parse(payload), (parsed as { message: unknown }).message)
      )
    }),
    { numRuns: 2_000 }
  )
  t.ok(found > 200, 'and many of the bodies have a message')
})
