/**
 * Clients, event types and ids: at their limits, unknown, unstorable, and with texts that
 * do harm elsewhere.
 */
import { body, HARMFUL_TEXTS, type HostileBody, json, refusedBody } from './hostile-body.js'

const FIELDS = { client: 'unknown-client', type: 'unknown-event-type' } as const

/**
 * Names of 100 characters are looked up; names of 101 are not. A character beyond 16 bits
 * counts as one.
 */
const lengths = Object.entries(FIELDS).flatMap(([field, unknown]) =>
  Object.entries({
    'one byte': 'n',
    'two bytes': 'é',
    'three bytes': '日',
    'four bytes': '🎫'
  }).flatMap(([width, character]) => [
    refusedBody(
      unknown,
      `a ${field} of 100 characters of ${width}`,
      body({ [field]: json(character.repeat(100)) })
    ),
    refusedBody(
      'invalid-field',
      `a ${field} of 101 characters of ${width}`,
      body({ [field]: json(character.repeat(101)) })
    )
  ])
)

const unknown = Object.entries(FIELDS).flatMap(([field, reason]) =>
  Object.entries(HARMFUL_TEXTS).map(([what, text]) =>
    refusedBody(reason, `${what} as a ${field}`, body({ [field]: json(text) }))
  )
)

const ALMOST: Readonly<Record<string, string>> = {
  'a blank behind it': 'client-1 ',
  'a blank before it': ' client-1',
  capitals: 'CLIENT-1',
  'another hyphen': 'client\u20111',
  'a character without width in it': 'client-\u200b1',
  'a soft hyphen in it': 'cli\u00adent-1',
  'a wide digit': 'client-１',
  'U+FEFF before it': '\ufeffclient-1',
  'a joker': 'client-_',
  'two clients': 'client-1,client-2'
}
const almost = Object.entries(ALMOST).map(([how, text]) =>
  refusedBody('unknown-client', `a known client with ${how}`, body({ client: json(text) }))
)

const UNSTORABLE: Readonly<Record<string, string>> = {
  'U+0000': '"\\u0000"',
  'a known name and U+0000': '"client-1\\u0000"',
  'U+0000 in the middle': '"a\\u0000b"',
  'half a pair, the high one': '"\\ud800"',
  'half a pair, the low one': '"a\\udc00b"',
  'a pair the wrong way round': '"\\udc00\\ud800"',
  'half a pair that is not escaped': '"a\ud800"',
  'half a pair before a whole one': '"\\ud83d\\ud83d\\ude00"'
}
const unstorable = (['client', 'type', 'id'] as const).flatMap(field =>
  Object.entries(UNSTORABLE).map(([what, text]) =>
    refusedBody('unstorable', `${what} in the ${field}`, body({ [field]: text }))
  )
)

const withId = (name: string, id: string): HostileBody => ({
  name,
  body: body({ id: json(id), message: '"an id"' }),
  outcome: 'stored',
  payload: '"an id"',
  messageId: id
})

/**
 * Incompressible text: only such text can exceed the 2,704 bytes of a PostgreSQL index
 * row.
 */
function incompressible(characters: number): string {
  let state = 1
  return Array.from({ length: characters }, () => {
    state = (state * 48_271) % 2_147_483_647
    return String.fromCharCode(33 + (state % 90))
  }).join('')
}

const ids: readonly HostileBody[] = [
  ...Object.entries(HARMFUL_TEXTS).map(([what, text]) => withId(`${what} as an id`, text)),
  withId('an id of one character', 'x'),
  withId('an id of 255 bytes', 'i'.repeat(255)),
  withId('an id of 255 bytes that nothing compresses', incompressible(255)),
  withId('an id of 255 bytes, all but one in pairs', `${'é'.repeat(127)}x`),
  withId('an id of 255 bytes in threes', '日'.repeat(85)),
  withId('an id of 255 bytes, all but three in fours', `${'🎫'.repeat(63)}xyz`),
  refusedBody('invalid-field', 'an id of 256 bytes', body({ id: json('i'.repeat(256)) })),
  refusedBody('invalid-field', 'an id of 256 bytes in pairs', body({ id: json('é'.repeat(128)) })),
  refusedBody(
    'invalid-field',
    'an id of 256 bytes, the last of threes and one',
    body({ id: json(`${'日'.repeat(85)}x`) })
  ),
  refusedBody('invalid-field', 'an id of 256 bytes in fours', body({ id: json('🎫'.repeat(64)) })),
  refusedBody(
    'invalid-field',
    'an id that is too long for an index',
    body({ id: json(incompressible(4_000)) })
  ),
  refusedBody(
    'invalid-field',
    'an id of 100,000 characters that compress well',
    body({ id: json('i'.repeat(100_000)) })
  ),
  {
    name: 'an id that is null',
    body: body({ id: 'null', message: '"no id"' }),
    outcome: 'stored',
    payload: '"no id"'
  },
  {
    name: 'an id whose last of equal keys counts',
    body: body({ before: '"event_id":"first",', id: '"last"', message: '"ids"' }),
    outcome: 'stored',
    payload: '"ids"',
    messageId: 'last'
  },
  {
    name: 'an id in escapes',
    body: body({ id: '"\\u0069\\u0064 \\ud83c\\udfab \\/"', message: '"ids"' }),
    outcome: 'stored',
    payload: '"ids"',
    messageId: 'id 🎫 /'
  }
]

/** The same id again, with something else changed. */
const again = (
  name: string,
  outcome: 'conflict' | 'duplicate',
  first: string,
  second: string
): HostileBody => ({
  name,
  first,
  body: second,
  outcome
})
const conflicts: readonly HostileBody[] = [
  again('the same event again', 'duplicate', body({ id: '"again-1"' }), body({ id: '"again-1"' })),
  again(
    'the same event with its keys in another order and blanks',
    'duplicate',
    body({ id: '"again-2"' }),
    ` { "message" : "hello" , "event_id" : "again-2" , "client_id" : "client-1" , "event_type" : "monitor-app" } `
  ),
  again(
    'the same event with more keys that are ignored',
    'duplicate',
    body({ id: '"again-3"' }),
    body({ id: '"again-3"', before: '"more":1,' })
  ),
  again(
    'the same event with its id in escapes',
    'duplicate',
    body({ id: '"again-4"' }),
    body({ id: '"\\u0061gain-4"' })
  ),
  again(
    'another payload',
    'conflict',
    body({ id: '"other-1"' }),
    body({ id: '"other-1"', message: '"bye"' })
  ),
  again(
    'another event type',
    'conflict',
    body({ id: '"other-2"' }),
    body({ id: '"other-2"', type: '"transaction-app"' })
  ),
  again(
    'the payload with a blank more',
    'conflict',
    body({ id: '"other-3"', message: '{"a":1}' }),
    body({ id: '"other-3"', message: '{"a": 1}' })
  ),
  again(
    'the payload with its keys in another order',
    'conflict',
    body({ id: '"other-4"', message: '{"a":1,"b":2}' }),
    body({ id: '"other-4"', message: '{"b":2,"a":1}' })
  ),
  again(
    'the payload with an equal number',
    'conflict',
    body({ id: '"other-5"', message: '[1]' }),
    body({ id: '"other-5"', message: '[1.0]' })
  ),
  again(
    'the payload with an escape',
    'conflict',
    body({ id: '"other-6"', message: '"a"' }),
    body({ id: '"other-6"', message: '"\\u0061"' })
  ),
  again(
    'the payload with its accent apart',
    'conflict',
    body({ id: '"other-7"', message: '"caf\u00e9"' }),
    body({ id: '"other-7"', message: '"cafe\u0301"' })
  ),
  again(
    'a number that only JavaScript finds equal',
    'conflict',
    body({ id: '"other-8"', message: '[9007199254740993]' }),
    body({ id: '"other-8"', message: '[9007199254740992]' })
  )
]

export const NAMES: readonly HostileBody[] = [
  ...lengths,
  ...unknown,
  ...almost,
  ...unstorable,
  ...ids,
  ...conflicts
]
