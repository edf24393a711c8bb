/**
 * Bodies that are not JSON, in every way that a producer, proxy or attacker may cause.
 */
import { body, HARMFUL_TEXTS, type HostileBody, nested, refusedBody } from './hostile-body.js'

const WHOLE = body({
  id: '"cut"',
  message: '{"text":"a \\"quoted\\" word","list":[1,-2.5e3,true,null]}'
})

const MESSAGES: Readonly<Record<string, string>> = {
  'nothing after the colon': '',
  'a word of Python': 'True',
  'the word undefined': 'undefined',
  'not a number': 'NaN',
  infinity: '-Infinity',
  'a zero in front': '01',
  'a minus and a zero in front': '-01',
  'a plus in front': '+1',
  'no digit before the point': '.5',
  'no digit after the point': '5.',
  'no digit in the exponent': '[1e]',
  'no digit after the sign of the exponent': '[1e+]',
  'two points': '[1.2.3]',
  'two signs': '[--1]',
  'a number in hex': '0x10',
  'a number with underlines': '1_000',
  'a big integer': '1n',
  'wide digits': '[１]',
  'single quotes': `'hello'`,
  'quotes of a word processor': '“hello”',
  'a template literal': '`hello`',
  'no quotes': 'hello',
  'a string without an end': '"hello',
  'an escape of C': '"\\x41"',
  'an escape of a single quote': `"\\'"`,
  'an escape of a digit': '"\\0"',
  'an escape of a capital U': '"\\U0001F600"',
  'an escape with braces': '"\\u{1F600}"',
  'an escape that is too short': '"\\u12"',
  'an escape with a letter that is no digit': '"\\u12G4"',
  'an escape at the end': '"\\"',
  'a line end in a string': '"a\nb"',
  'a tab in a string': '"a\tb"',
  'U+0000 in a string': '"a\0b"',
  'an escape character in a string': '"a\u001bb"',
  'U+001F in a string': '"a\u001fb"',
  'a comma at the end of an array': '[1,]',
  'a comma at the end of an object': '{"a":1,}',
  'a comma alone': '[,]',
  'two commas': '[1,,2]',
  'no comma': '[1 2]',
  'no colon': '{"a" 1}',
  'two colons': '{"a"::1}',
  'a key without a value': '{"a"}',
  'a key without quotes': '{a:1}',
  'a key that is a number': '{1:2}',
  'brackets that do not match': '[1}',
  'braces that do not match': '{"a":1]',
  'a comment of a line': '1 // one\n',
  'a comment': '/* one */ "hello"',
  'a regular expression': '/a/',
  'a function': 'function(){}',
  'a vertical tab between tokens': '[1,\u000b2]',
  'a form feed between tokens': '[1,\f2]',
  'a blank that does not break between tokens': '[1,\u00a02]',
  'a separator of lines between tokens': '[1,\u20282]',
  'a character without width between tokens': '[1,\u200b2]',
  'a byte order mark between tokens': '[1,\ufeff2]',
  'a lone surrogate between tokens': '[1,\ud8002]',
  'a replacement character between tokens': '[1,\ufffd2]',
  'half of an object deep inside': nested(1_000, '{"a":', '1', '}').slice(0, -1)
}

const BODIES: Readonly<Record<string, string>> = {
  'an empty body': '',
  'line ends only': '\r\n\r\n',
  'U+0000 alone': '\0',
  'a byte order mark alone': '\ufeff',
  'a byte order mark in front of an event': `\ufeff${body()}`,
  'a mark of direction in front of an event': `\u202e${body()}`,
  'U+0000 behind an event': `${body()}\0`,
  'text behind an event': `${body()} and more`,
  'two events': `${body()}${body()}`,
  'two events in lines': `${body()}\n${body()}`,
  'two events with a comma': `${body()},${body()}`,
  'an event without its first brace': body().slice(1),
  'an event in brackets': `(${body()})`,
  'an event for a browser': `callback(${body()});`,
  'an event behind a guard': `)]}',\n${body()}`,
  'an event in a form': `event=${encodeURIComponent(body())}`,
  'an event in base64': Buffer.from(body()).toString('base64'),
  'an event in UTF-16 that was read as bytes': Array.from(body()).join('\0'),
  'the bytes of gzip that were read as text': '\u001f\ufffd\b\0\0\0\0\0\0\u0003',
  'an event of XML': '<event client="client-1"><message>hello</message></event>',
  'an event of YAML': 'client_id: client-1\nevent_type: monitor-app\nmessage: hello\n',
  'an event of CSV': 'client-1,monitor-app,hello',
  'an event of JSON5': `{client_id: 'client-1', event_type: 'monitor-app', message: 'hello',}`,
  'an event with single quotes': body().replaceAll('"', `'`),
  'an event with escaped quotes': body().replaceAll('"', '\\"'),
  'a word': 'hello',
  'an opening brace': '{',
  'a closing brace': '}',
  'a quote': '"',
  'a backslash': '\\',
  'a lone high surrogate': '\ud800',
  'a lone low surrogate': '\udc00',
  'braces that open 100,000 times': '{"a":'.repeat(100_000),
  'brackets that open 100,000 times': '['.repeat(100_000),
  'brackets that close 100,000 times': ']'.repeat(100_000),
  'backslashes, 100,001 of them, in a string': `"${'\\'.repeat(100_001)}"`,
  'quotes, 100,001 of them': '"'.repeat(100_001)
}

export const NOT_JSON: readonly HostileBody[] = [
  ...Object.entries(BODIES).map(([name, text]) =>
    refusedBody('not-json', `${name} is not JSON`, text)
  ),
  ...Object.entries(MESSAGES).map(([name, text]) =>
    refusedBody('not-json', `not JSON for a payload: ${name}`, body({ message: text }))
  ),
  ...Array.from({ length: 24 }, (_, n) => Math.round(((n + 1) * (WHOLE.length - 1)) / 24)).map(at =>
    refusedBody('not-json', `an event cut after ${at} characters`, WHOLE.slice(0, at))
  ),
  // These entries are valid JSON.
  ...Object.entries(HARMFUL_TEXTS)
    .filter(([name]) => !['a number', 'a number without an end', 'the word true'].includes(name))
    .map(([name, text]) => refusedBody('not-json', `${name} as a body`, text))
]
