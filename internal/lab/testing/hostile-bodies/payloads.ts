/**
 * Payloads that parsers, drivers and other column types change or refuse, and sizes and
 * depths at their limits.
 */
import {
  body,
  HARMFUL_TEXTS,
  type HostileBody,
  json,
  nested,
  payload,
  refusedBody
} from './hostile-body.js'

const MAX_BYTES = 1_048_576

const NUMBERS: Readonly<Record<string, string>> = {
  'a number without an end': '[1e400]',
  'a number without an end, below zero': '[-1e400]',
  'an exponent beyond numeric': '[1e131072,1e-16384]',
  'an exponent of 100 digits': `[1e${'9'.repeat(100)},1e-${'9'.repeat(100)}]`,
  'a zero below zero': '[-0,-0.0,0e-1]',
  'an integer that JavaScript rounds': '[9007199254740993,-9007199254740993]',
  'an integer beyond 64 bits': '[18446744073709551616,170141183460469231731687303715884105728]',
  'a number of 10,000 digits': `[${'7'.repeat(10_000)}]`,
  'a fraction of 10,000 digits': `[0.${'7'.repeat(10_000)}]`,
  'zeros at the end': '[1.10,100e-2,1E5,1e+5,1E-5]',
  'the smallest numbers': '[5e-324,2e-324,2.2250738585072011e-308]'
}

const STRUCTURES: Readonly<Record<string, string>> = {
  'an empty object': '{}',
  'an empty array': '[]',
  'an empty key': '{"":""}',
  'equal keys': '{"a":1,"a":2,"\\u0061":3}',
  'equal keys, 1,000 of them': `{${Array.from({ length: 1_000 }, (_, n) => `"a":${n}`).join()}}`,
  'keys in escapes': '{"\\u006bey":"\\u0076alue","\\"":"\\\\"}',
  'the keys of an event': body(),
  'an event in a string': json(body()),
  'a prototype': '{"__proto__":{"admin":true}}',
  'a prototype that is null': '{"__proto__":null}',
  'a constructor': '{"constructor":{"prototype":{"admin":true}}}',
  'the methods of an object':
    '{"toString":1,"valueOf":2,"hasOwnProperty":3,"toJSON":4,"then":5,"length":-1}',
  'blanks of every kind': ' \t\r\n { "a" :\n\r[ 1 ,\t2 ] } \n'.trim(),
  'blanks, 100,000 of them': `[${' '.repeat(100_000)}]`,
  'quotes and braces in a string': '"\\"}],{[\\\\\\" \\\\"',
  'a key that looks like a payload': '{"message":{"message":"\\"message\\":"}}',
  'an array of nothing, 100,000 times': `[${Array.from({ length: 100_000 }, () => 'null').join()}]`,
  'an object of 100,000 keys': `{${Array.from({ length: 100_000 }, (_, n) => `"${n.toString(36)}":0`).join()}}`,
  'an object of 1,000 keys that a hash may not like': `{${Array.from({ length: 1_000 }, (_, n) => `"${n * 65_536}":0`).join()}}`,
  'a key of 100,000 characters': `{"${'k'.repeat(100_000)}":1}`,
  'empty objects, 10,000 of them': `[${Array.from({ length: 10_000 }, () => '{}').join()}]`
}

const TEXTS: Readonly<Record<string, string>> = {
  'U+0000 in an escape': '"a\\u0000b"',
  'U+0000 in a key': '{"a\\u0000":"\\u0000"}',
  'a backslash before what looks like an escape of U+0000': '"\\\\u0000"',
  'half a pair in an escape': '"\\ud800"',
  'half a pair in a key': '{"\\udc00":1}',
  'a pair the wrong way round': '"\\udc00\\ud800"',
  'every short escape': '"\\" \\\\ \\/ \\b \\f \\n \\r \\t"',
  'escapes in capitals': '"\\u00E9\\uD83C\\uDFAB"',
  'the edges of the planes': '"\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}"',
  'controls of eight bits': '"\u0080\u0085\u009f"',
  'a string of 1,000,000 characters': `"${'x'.repeat(1_000_000)}"`,
  'a string of 300,000 characters of three bytes': `"${'日'.repeat(300_000)}"`,
  'a string of 150,000 escapes': `"${'\\u0000'.repeat(150_000)}"`,
  'a string of 500,000 backslashes in pairs': `"${'\\\\'.repeat(250_000)}"`
}

const exactly = (bytes: number, filler: string): string => {
  const empty = body({ message: '""' })
  const room = bytes - Buffer.byteLength(empty)
  const width = Buffer.byteLength(filler)
  return body({
    message: `"${'x'.repeat(room % width)}${filler.repeat(Math.floor(room / width))}"`
  })
}
const payloadOf = (text: string): string => text.slice(text.indexOf('"message":') + 10, -1)
const atLimit = (name: string, text: string): HostileBody => ({
  name,
  body: text,
  outcome: 'stored',
  payload: payloadOf(text)
})

const sizes: readonly HostileBody[] = [
  atLimit('a body of exactly 1 MiB', exactly(MAX_BYTES, 'x')),
  atLimit('a body of exactly 1 MiB in pairs of bytes', exactly(MAX_BYTES, 'é')),
  atLimit('a body of exactly 1 MiB in fours', exactly(MAX_BYTES, '🎫')),
  {
    ...atLimit('a body of 1 MiB, most of it blanks', ''),
    body: body().padStart(MAX_BYTES),
    payload: '"hello"'
  },
  {
    ...atLimit('a body of 1 MiB, most of it ignored', ''),
    body: body({ before: `"ignored":"${'x'.repeat(1_000_000)}",` }),
    payload: '"hello"'
  },
  refusedBody('too-large', 'a body of 1 MiB and a byte', exactly(MAX_BYTES + 1, 'x')),
  refusedBody(
    'too-large',
    'a body of 1 MiB and a byte, fewer characters than bytes',
    exactly(MAX_BYTES + 1, 'é')
  ),
  refusedBody('too-large', 'a body of 1 MiB and a blank', body().padEnd(MAX_BYTES + 1)),
  refusedBody('too-large', 'a body of 2 MiB that is not JSON', '['.repeat(2 * MAX_BYTES)),
  refusedBody('too-large', 'a body of 2 MiB that is no object', `"${'x'.repeat(2 * MAX_BYTES)}"`)
]

const object = (levels: number): string => nested(levels, '{"a":', '1', '}')

const depths: readonly HostileBody[] = [
  payload('arrays 63 deep, the body being the 64th', nested(63)),
  payload('objects 63 deep', object(63)),
  payload('brackets in a string, 100,000 of them', `"${'['.repeat(100_000)}"`),
  payload(
    'arrays 63 deep, 1,000 of them',
    `[${Array.from({ length: 1_000 }, () => nested(62)).join()}]`
  ),
  ...[64, 65, 1_000, 7_000, 100_000].flatMap(levels => [
    refusedBody('too-deep', `arrays ${levels} deep`, body({ message: nested(levels) })),
    refusedBody('too-deep', `objects ${levels} deep`, body({ message: object(levels) }))
  ]),
  refusedBody('too-deep', 'arrays 500,000 deep', body({ message: nested(500_000) })),
  refusedBody('too-deep', 'an ignored key 64 deep', body({ before: `"ignored":${nested(64)},` })),
  refusedBody('too-deep', 'too deep where a client is due', body({ client: nested(64) })),
  refusedBody('too-deep', 'too deep, and all fields missing', `{"a":${nested(64)}}`),
  refusedBody(
    'too-deep',
    'too deep in the first of equal keys',
    body({ before: `"message":${nested(64)},` })
  )
]

const KEYS: Readonly<Record<string, HostileBody>> = {
  'a key in escapes': {
    name: '',
    body: body().replace('"message"', '"\\u006d\\u0065\\u0073\\u0073\\u0061\\u0067\\u0065"'),
    outcome: 'stored',
    payload: '"hello"'
  },
  'the last of equal keys': {
    name: '',
    body: body({ before: '"message":"first",', message: '"last"' }),
    outcome: 'stored',
    payload: '"last"'
  },
  'the last of equal keys, in escapes': {
    name: '',
    body: `${body().slice(0, -1)},"mess\\u0061ge":["last"]}`,
    outcome: 'stored',
    payload: '["last"]'
  },
  'a wrong value first, a right one last': {
    name: '',
    body: body({ before: '"client_id":5,"event_type":null,"message":false,' }),
    outcome: 'stored',
    payload: '"hello"'
  },
  'a prototype beside the fields': {
    name: '',
    body: body({ before: '"__proto__":{"message":"no"},"constructor":5,' }),
    outcome: 'stored',
    payload: '"hello"'
  },
  'blanks around everything': {
    name: '',
    body: '\r\n\t { "event_type" \t:\n"monitor-app" ,\r"client_id": "client-1","message"  :  [ 1 ]  } \n',
    outcome: 'stored',
    payload: '[ 1 ]'
  },
  '90,000 keys that are ignored': {
    name: '',
    body: body({
      before: Array.from({ length: 90_000 }, (_, n) => `"${n.toString(36)}":0,`).join('')
    }),
    outcome: 'stored',
    payload: '"hello"'
  },
  'half a pair, not escaped, in an ignored key': {
    name: '',
    body: body({ before: '"a\ud800":"\udc00",' }),
    outcome: 'stored',
    payload: '"hello"'
  }
}

export const HOSTILE_PAYLOADS: readonly HostileBody[] = [
  ...Object.entries({ ...NUMBERS, ...STRUCTURES, ...TEXTS }).map(([what, text]) =>
    payload(`${what} as a payload`, text)
  ),
  ...Object.entries(HARMFUL_TEXTS).flatMap(([what, text]) => [
    payload(`${what} as a text`, json(text)),
    payload(`${what} as a key and a value`, `{${json(text)}:[${json(text)}]}`)
  ]),
  ...Object.entries(KEYS).map(([name, rest]) => ({ ...rest, name })),
  ...sizes,
  ...depths,
  refusedBody(
    'unstorable',
    'half a pair, not escaped, in a payload',
    body({ message: '"a\ud800b"' })
  ),
  refusedBody(
    'unstorable',
    'half a pair, not escaped, in a key of a payload',
    body({ message: '{"\udc00":1}' })
  )
]
