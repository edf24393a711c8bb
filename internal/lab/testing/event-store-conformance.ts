/**
 * What the store of events promises beyond other stores, as tests for all its adapters.
 *
 * A harness starts with the clients `client-1` and `client-2` and the event types
 * `user-app` and `monitor-app`, and without any row.
 */
import { type Test } from 'tap'
import type { Store } from '../../engine/intake/store.js'
import type { EventEntry, EventRejection, ValidEvent } from '../../systems/events/event/event.js'
import { type RejectionRow } from '../../systems/events/store/rejection-row.js'
import { eventRejection, rejected, TRICKY_PAYLOADS, valid } from './event-entries.js'
import type { StoreSamples } from './store-conformance.js'
import { insert, SENT_AT_MS } from './store-entries.js'

export interface EventStoreHarness {
  readonly store: Store<ValidEvent, EventRejection>
  readonly addClient: (name: string) => Promise<void>
  readonly addEventType: (name: string) => Promise<void>
  readonly disable: (
    what: 'client' | 'event type',
    name: string,
    isDisabled: boolean
  ) => Promise<void>
  /** All rows of `message`, in any order. */
  readonly messages: () => Promise<readonly ValidEvent[]>
  /** All rows of `rejection`, in any order. */
  readonly rejections: () => Promise<readonly RejectionRow[]>
}

const event = (over: Partial<ValidEvent>): ValidEvent => ({
  clientId: 'client-1',
  eventType: 'user-app',
  messageId: 'id-1',
  payload: '"hello"',
  schemaId: null,
  ...over
})

/** Events for the rules that hold for every store. */
export const EVENT_SAMPLES: StoreSamples<ValidEvent, EventRejection> = {
  item: (n, variant = 0, owner = 0) =>
    event({
      clientId: `client-${owner + 1}`,
      messageId: `id "${n}", é`,
      payload: `{"variant": ${variant}}`
    }),
  rejection: eventRejection(),
  rejectionOf: ({ schemaId: _, ...known }) =>
    eventRejection({ reason: 'schema-violation', ...known }),
  unstorable: {
    'an id with NUL': event({ messageId: 'a\0' }),
    'an id with a lone surrogate': event({ messageId: '\ud800' }),
    'an empty id': event({ messageId: '' }),
    'an id of 256 bytes': event({ messageId: 'é'.repeat(128) }),
    'a payload with NUL': event({ payload: '"\0"' }),
    'a payload with a lone surrogate': event({ payload: '"\udc00"' }),
    'a payload that is not JSON': event({ payload: '{' })
  }
}

const payloadsOf = (rows: readonly ValidEvent[]): readonly string[] =>
  rows.map(row => row.payload).sort()

export async function testEventStore(
  t: Test,
  adapter: string,
  createHarness: (t: Test) => Promise<EventStoreHarness>
): Promise<void> {
  const test = (rule: string, body: (t: Test, harness: EventStoreHarness) => Promise<void>) =>
    t.test(`${adapter}: ${rule}`, async t => body(t, await createHarness(t)))

  await test('a row keeps the schema version that accepted it, even if another accepts a copy', async (t, harness) => {
    const { store, messages } = harness
    const batch = [1, null, 2_147_483_647].map((schemaId, n) =>
      valid({ messageId: `id-${n}`, schemaId })
    )
    t.same(await insert(store, ...batch), ['stored', 'stored', 'stored'])
    t.same(await insert(store, valid({ messageId: 'id-0', schemaId: 2 }, { queueId: 'again' })), [
      'duplicate'
    ])
    const kept = (await messages())
      .map(({ messageId, schemaId }) => `${messageId} ${schemaId ?? 'none'}`)
      .sort()
    t.same(kept, ['id-0 1', 'id-1 none', 'id-2 2147483647'])
  })

  await test('the same id with another payload or event type is a conflict, and the first event stays', async (t, {
    store,
    messages,
    rejections
  }) => {
    await insert(store, valid({ messageId: 'same', payload: '{"a":1}' }))
    const other = valid(
      { messageId: 'same', payload: '{"a": 1}' },
      { queueId: 'other-payload', body: 'the whole body' }
    )
    const type = valid(
      { messageId: 'same', payload: '{"a":1}', eventType: 'monitor-app' },
      { queueId: 'other-type' }
    )
    t.same([await insert(store, other), await insert(store, type)], [['conflict'], ['conflict']])
    t.same(payloadsOf(await messages()), ['{"a":1}'])
    const row = (await rejections()).find(
      ({ queueMessageId }) => queueMessageId === 'other-payload'
    )
    t.match(row, {
      reason: 'conflict',
      clientName: 'client-1',
      eventTypeName: 'user-app',
      messageId: 'same',
      body: 'the whole body'
    })
    t.match(row?.violations, [{ pointer: '/event_id', keyword: 'unique', message: String }])
    t.same(await insert(store, other), ['duplicate'], 'its redelivery has its row already')
    t.equal((await rejections()).length, 2)
  })

  await test('an unknown client or event type is refused with its body, the client first', async (t, {
    store,
    messages,
    rejections
  }) => {
    const client = valid({ messageId: 'a', clientId: 'nobody' }, { body: 'body a' })
    const type = valid({ messageId: 'b', eventType: 'nothing' }, { body: 'body b' })
    const both = valid(
      { messageId: 'c', clientId: 'nobody', eventType: 'nothing' },
      { body: 'body c' }
    )
    t.same(await insert(store, client, type, both), [
      'unknown-client',
      'unknown-event-type',
      'unknown-client'
    ])
    t.same(await messages(), [])
    const rows = new Map((await rejections()).map(row => [row.queueMessageId, row]))
    t.match(rows.get('queue-a'), {
      reason: 'unknown-client',
      clientName: 'nobody',
      body: 'body a',
      violations: [{ pointer: '/client_id' }]
    })
    t.match(rows.get('queue-b'), {
      reason: 'unknown-event-type',
      eventTypeName: 'nothing',
      body: 'body b',
      violations: [{ pointer: '/event_type' }]
    })
    t.match(rows.get('queue-c'), { reason: 'unknown-client', body: 'body c' })
  })

  await test('a disabled client or event type is refused as disabled until it is enabled', async (t, harness) => {
    const { store, disable, messages, rejections } = harness
    await disable('client', 'client-2', true)
    await disable('event type', 'monitor-app', true)
    const client = valid({ messageId: 'a', clientId: 'client-2' }, { body: 'body a' })
    const type = valid({ messageId: 'b', eventType: 'monitor-app' })
    const both = valid({ messageId: 'c', clientId: 'client-2', eventType: 'monitor-app' })
    const good = valid({ messageId: 'd' })
    t.same(await insert(store, client, type, both, good), [
      'unknown-client',
      'unknown-event-type',
      'unknown-client',
      'stored'
    ])
    const rows = new Map((await rejections()).map(row => [row.queueMessageId, row]))
    const [ofClient, ofType] = [
      { pointer: '/client_id', keyword: 'enabled' },
      { pointer: '/event_type', keyword: 'enabled' }
    ]
    t.match(rows.get('queue-a'), {
      reason: 'unknown-client',
      clientName: 'client-2',
      body: 'body a',
      violations: [ofClient]
    })
    t.match(rows.get('queue-b'), { reason: 'unknown-event-type', violations: [ofType] })
    t.match(rows.get('queue-c'), { violations: [ofClient] })
    await disable('client', 'client-2', false)
    await disable('event type', 'monitor-app', false)
    const again = (id: string): EventEntry =>
      valid(
        { messageId: id, clientId: 'client-2', eventType: 'monitor-app' },
        { queueId: `again-${id}` }
      )
    t.same(await insert(store, again('a'), again('b')), ['stored', 'stored'])
    t.equal((await messages()).length, 3)
  })

  await test('a client and an event type added while it runs are accepted at once', async (t, {
    store,
    addClient,
    addEventType,
    messages
  }) => {
    t.same(
      await insert(store, valid({ messageId: 'a', clientId: 'new-client', eventType: 'new-type' })),
      ['unknown-client']
    )
    await addClient('new-client')
    t.same(
      await insert(store, valid({ messageId: 'b', clientId: 'new-client', eventType: 'new-type' })),
      ['unknown-event-type']
    )
    await addEventType('new-type')
    t.same(
      await insert(store, valid({ messageId: 'c', clientId: 'new-client', eventType: 'new-type' })),
      ['stored']
    )
    t.match(await messages(), [{ clientId: 'new-client', eventType: 'new-type', messageId: 'c' }])
  })

  await test('a rejection records what the body said about the event', async (t, {
    store,
    rejections
  }) => {
    const violations = [{ pointer: '/message/n', keyword: 'type', message: 'must be a number' }]
    const known = { clientId: 'client-1', eventType: 'user-app', messageId: 'm', payload: '"p"' }
    const entry = rejected(
      { reason: 'schema-violation', violations, ...known },
      { queueId: 'q', receiveCount: 3, body: '{"whole":"body"}' }
    )
    t.same(await insert(store, entry), ['schema-violation'])
    t.same(await insert(store, entry), ['duplicate'])
    t.same(await rejections(), [
      {
        queueMessageId: 'q',
        originQueueMessageId: null,
        clientName: 'client-1',
        eventTypeName: 'user-app',
        messageId: 'm',
        reason: 'schema-violation',
        violations,
        body: '{"whole":"body"}',
        bodyEncoding: 'plain',
        receiveCount: 3,
        sentAtMs: SENT_AT_MS
      }
    ])
  })

  await test('a redriven message is judged anew, and a new rejection names its origin', async (t, {
    store,
    addClient,
    messages,
    rejections
  }) => {
    const event = { clientId: 'late', messageId: 'first' }
    await insert(store, valid(event, { queueId: 'first' }))
    const copy = (queueId: string, over: Partial<ValidEvent> = {}) =>
      valid({ ...event, ...over }, { queueId, origin: 'first' })
    t.same(await insert(store, copy('second')), ['unknown-client'])
    t.match(
      (await rejections()).find(row => row.queueMessageId === 'second'),
      { originQueueMessageId: 'first', messageId: 'first' }
    )
    await addClient('late')
    t.same(await insert(store, copy('third'), copy('fourth')), ['stored', 'duplicate'])
    t.same(await insert(store, copy('fifth', { payload: '"another"' })), ['conflict'])
    t.match(
      (await rejections()).find(row => row.queueMessageId === 'fifth'),
      { violations: [{ pointer: '' }] }
    )
    t.equal((await messages()).length, 1)
  })

  await test('names and ids of any length are kept', async (t, { store, rejections }) => {
    const name = Array.from({ length: 20_000 }, (_, index) => index.toString(36)).join(' ')
    const long = { clientId: name, eventType: name, messageId: name }
    t.same(await insert(store, rejected({ reason: 'invalid-field', ...long }, { queueId: 'q' })), [
      'invalid-field'
    ])
    t.match(await rejections(), [{ clientName: name, eventTypeName: name, messageId: name }])
  })

  await test('a payload is stored character for character', async (t, { store, messages }) => {
    const batch = TRICKY_PAYLOADS.map((payload, n) => valid({ messageId: `id-${n}`, payload }))
    t.same(
      await insert(store, ...batch),
      TRICKY_PAYLOADS.map(() => 'stored')
    )
    t.same(payloadsOf(await messages()), [...TRICKY_PAYLOADS].sort())
    t.same(
      await insert(store, ...batch),
      TRICKY_PAYLOADS.map(() => 'duplicate'),
      'and compared the same way'
    )
  })

  await test('ids are kept as they are: letter case, accents and spaces tell events apart', async (t, {
    store,
    messages
  }) => {
    const ids = [
      'id',
      'ID',
      'íd',
      'i\u0301d',
      ' id',
      'id ',
      '日本',
      '🎫',
      "'",
      '\\',
      '{}',
      'NULL',
      '\u0001',
      'é'.repeat(127)
    ]
    const batch = ids.map(messageId => valid({ messageId, payload: JSON.stringify(messageId) }))
    t.same(
      await insert(store, ...batch),
      ids.map(() => 'stored')
    )
    t.same((await messages()).map(row => row.messageId).sort(), [...ids].sort())
  })

  await test('a rejection keeps bodies and names that PostgreSQL cannot hold, written as JSON strings', async (t, {
    store,
    rejections
  }) => {
    const raw = { queueId: 'raw', body: 'NUL \0 and lone \ud800 surrogates' }
    const names = { clientId: 'a\0b', eventType: '\udc00', messageId: '\0', payload: '"\ud800"' }
    t.same(
      await insert(
        store,
        rejected({ reason: 'unstorable', ...names }, raw),
        rejected({}, { queueId: 'plain', body: '"\\u0000"' })
      ),
      ['unstorable', 'not-json']
    )
    const rows = new Map((await rejections()).map(row => [row.queueMessageId, row]))
    const row = rows.get('raw')
    t.match(row, {
      bodyEncoding: 'json-string',
      clientName: '"a\\u0000b"',
      eventTypeName: '"\\udc00"',
      messageId: '"\\u0000"'
    })
    t.equal(JSON.parse(row!.body), raw.body, 'the body is complete')
    t.match(rows.get('plain'), { bodyEncoding: 'plain', body: '"\\u0000"' })
    t.same(await insert(store, rejected({ reason: 'unstorable', ...names }, raw)), ['duplicate'])
  })

  await test('messages of one key with different parents are written as if one after the other', async (t, {
    store,
    messages
  }) => {
    const key = { clientId: 'client-1', messageId: 'k' }
    t.same(
      await insert(
        store,
        valid({ ...key, payload: '1', eventType: 'no-such-type' }, { queueId: 'q1' }),
        valid({ ...key, payload: '1' }, { queueId: 'q2' }),
        valid({ ...key, payload: '1' }, { queueId: 'q3' }),
        valid({ ...key, payload: '2' }, { queueId: 'q4' }),
        valid({ ...key, payload: '1', eventType: 'monitor-app' }, { queueId: 'q5' }),
        valid({ ...key, payload: '1', eventType: 'no-such-type' }, { queueId: 'q6' }),
        valid({ ...key, payload: '1', clientId: 'client-2' }, { queueId: 'q7' })
      ),
      [
        'unknown-event-type',
        'stored',
        'duplicate',
        'conflict',
        'conflict',
        'unknown-event-type',
        'stored'
      ]
    )
    t.equal((await messages()).length, 2)
    t.same(
      await insert(
        store,
        valid({ ...key, payload: '1' }, { queueId: 'q8' }),
        valid({ ...key, payload: '3' }, { queueId: 'q9' })
      ),
      ['duplicate', 'conflict'],
      'also with a row of an earlier batch'
    )
  })
}
