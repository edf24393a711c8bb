/**
 * JSON that is not an event: another shape, missing fields, fields of the wrong type,
 * keys that only look right.
 */
import { body, type HostileBody, json, nested, refusedBody } from './hostile-body.js'

const OTHER_SHAPES: Readonly<Record<string, string>> = {
  null: 'null',
  true: 'true',
  false: 'false',
  'a zero': '0',
  'a zero below zero': '-0',
  'a number without an end': '1e400',
  'a number of 100,000 digits': '9'.repeat(100_000),
  'an empty string': '""',
  'a string': '"hello"',
  'a string of U+0000': '"\\u0000"',
  'a string of half a pair': '"\\ud800"',
  'a string that holds an event': json(body()),
  'an empty array': '[]',
  'an array of an event': `[${body()}]`,
  'an array of two events': `[${body()},${body()}]`,
  'an array of pairs':
    '[["client_id","client-1"],["event_type","monitor-app"],["message","hello"]]',
  'brackets 100,000 deep': nested(100_000),
  'a string among blanks': ' \t\r\n"hello"\n '
}

const FIELDS = ['event_type', 'client_id', 'message'] as const
const SUBSETS = [1, 2, 3, 4, 5, 6, 7].map(bits => FIELDS.filter((_, index) => (bits >> index) & 1))
const MISSING: Readonly<Record<string, unknown>> = { absent: undefined, null: null, empty: '' }

function without(fields: readonly string[], value: unknown): string {
  const event: Record<string, unknown> = {
    event_type: 'monitor-app',
    client_id: 'client-1',
    message: 'hello'
  }
  for (const field of fields) event[field] = value
  return JSON.stringify(event)
}

const missing = SUBSETS.flatMap(fields =>
  Object.entries(MISSING).map(([how, value]) =>
    refusedBody('missing-field', `${fields.join(' and ')} ${how}`, without(fields, value))
  )
)

const KEYS_THAT_LOOK_RIGHT: Readonly<Record<string, string>> = {
  'only an id': '{"event_id":"x"}',
  'keys in capitals': '{"EVENT_TYPE":"monitor-app","CLIENT_ID":"client-1","MESSAGE":"hello"}',
  'keys of camels': '{"eventType":"monitor-app","clientId":"client-1","message":"hello"}',
  'keys with a blank behind them':
    '{"event_type ":"monitor-app","client_id ":"client-1","message ":"hello"}',
  'keys with a letter of another alphabet':
    '{"еvent_type":"monitor-app","сlient_id":"client-1","messаge":"hello"}',
  'keys with a character without width':
    '{"event_type\\u200b":"monitor-app","client_id":"client-1","message":"hello"}',
  'keys with U+0000 behind them':
    '{"event_type\\u0000":"monitor-app","client_id\\u0000":"client-1","message\\u0000":"hello"}',
  'the fields one level down': `{"event":${body()}}`,
  'the fields as a prototype': `{"__proto__":${body()}}`,
  'the fields as the prototype of a constructor': `{"constructor":{"prototype":${body()}}}`,
  'a prototype that is null': '{"__proto__":null,"client_id":"client-1","message":"hello"}',
  'a field whose last of equal keys is null': body({
    before: '"message":"first",',
    message: 'null'
  }),
  'a client whose last of equal keys is empty': `${body().slice(0, -1)},"client_id":""}`,
  'fields missing, and a name that cannot be stored': body({
    client: '"\\u0000"',
    message: 'null'
  }),
  'fields missing, and one of a wrong type': body({ type: '5', message: '""' }),
  'all but the payload, among 1,000 others': `{"client_id":"client-1","event_type":"monitor-app",${Array.from({ length: 1_000 }, (_, n) => `"message${n}":"x"`).join()}}`
}

const WRONG_VALUES: Readonly<Record<string, string>> = {
  'a zero': '0',
  'a number': '12',
  'a number without an end': '1e400',
  'a number below zero': '-1.5',
  true: 'true',
  false: 'false'
}
const STRUCTURES: Readonly<Record<string, string>> = {
  'an object': '{}',
  'an object with a name': '{"name":"client-1"}',
  'an object that says it is a string': '{"toString":"client-1","length":8}',
  'an array': '[]',
  'an array of a name': '["client-1"]'
}

const wrongTypes: readonly HostileBody[] = [
  ...(['client', 'type', 'id'] as const).flatMap(field =>
    Object.entries({ ...WRONG_VALUES, ...STRUCTURES }).map(([what, text]) =>
      refusedBody('invalid-field', `${what} for the ${field}`, body({ [field]: text }))
    )
  ),
  ...Object.entries(WRONG_VALUES).map(([what, text]) =>
    refusedBody('invalid-field', `${what} for the payload`, body({ message: text }))
  ),
  refusedBody('invalid-field', 'an empty id', body({ id: '""' })),
  refusedBody(
    'invalid-field',
    'every field wrong',
    body({ client: '1', type: '[]', id: '{}', message: 'false' })
  ),
  refusedBody(
    'invalid-field',
    'a payload whose last of equal keys is a number',
    body({ before: '"message":"first",', message: '2' })
  ),
  refusedBody(
    'invalid-field',
    'a wrong type beside a name that cannot be stored',
    body({ client: '"\\u0000"', message: '1' })
  )
]

export const SHAPES: readonly HostileBody[] = [
  ...Object.entries(OTHER_SHAPES).map(([name, text]) =>
    refusedBody('not-an-object', `${name} instead of an object`, text)
  ),
  ...missing,
  ...Object.entries(KEYS_THAT_LOOK_RIGHT).map(([name, text]) =>
    refusedBody('missing-field', name, text)
  ),
  ...wrongTypes
]
