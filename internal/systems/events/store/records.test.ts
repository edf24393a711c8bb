import t from 'tap'
import { createPostgresPool } from '../../../engine/postgres/pool.js'
import { createTestDatabase } from '../../../lab/testing/database.js'
import type { RejectionReason } from '../event/event.js'
import { RECORDS_POOL } from './pool-uses.js'
import { createPostgresRecords } from './postgres-records.js'
import {
  ALL_REJECTIONS as ALL,
  type EventRejectionFilter,
  type EventRejectionHead,
  type EventRejectionRecord
} from './records.js'

const { connectionString, pool } = await createTestDatabase(t)
const limits = { statementTimeoutMs: 10_000, lockTimeoutMs: 10_000, queryDeadlineMs: 15_000 }
const createRecords = () => {
  const own = createPostgresPool({ connectionString, ...limits }, RECORDS_POOL)
  t.teardown(() => own.end())
  return createPostgresRecords(own)
}
const records = createRecords()

t.beforeEach(() => pool.query('TRUNCATE message, rejection'))

interface Planted {
  readonly id: string
  readonly client?: string | null
  readonly type?: string | null
  readonly messageId?: string | null
  readonly reason?: RejectionReason
  readonly body?: string
  readonly encoding?: 'plain' | 'json-string'
  readonly received?: string
  readonly origin?: string
}

async function plant(...rows: readonly Planted[]): Promise<void> {
  for (const {
    id,
    client = 'client-1',
    type = 'user-app',
    messageId = id,
    reason = 'unknown-client',
    ...row
  } of rows) {
    await pool.query(
      `INSERT INTO rejection (queue_message_id, client_name, event_type_name, message_id, reason, violations, body, body_encoding, receive_count,
                              received_at, origin_queue_message_id)
       VALUES ($1, $2, $3, $4, $5, '[{"pointer":"/client_id","keyword":"registered","message":"why"}]', $6, $7, 1,
               coalesce($8::timestamptz, now()), $9)`,
      [
        id,
        client,
        type,
        messageId,
        reason,
        row.body ?? `body of ${id}`,
        row.encoding ?? 'plain',
        row.received ?? null,
        row.origin ?? null
      ]
    )
  }
}

const idsOf = (rejections: readonly Pick<EventRejectionHead, 'queueMessageId'>[]): string[] =>
  rejections.map(({ queueMessageId }) => queueMessageId)

t.test('rejections are listed newest first, and filters can be combined', async t => {
  const name = 'n'.repeat(150)
  await plant(
    { id: 'a', received: '2026-01-01T00:00:00Z' },
    {
      id: 'b',
      received: '2026-01-02T00:00:00Z',
      client: null,
      type: null,
      messageId: null,
      reason: 'not-json'
    },
    { id: 'c', received: '2026-01-03T00:00:00Z', client: name },
    { id: 'd', received: '2026-01-03T00:00:00Z', client: `${name.slice(0, 149)}x`, type: 'other' }
  )
  const rows: readonly (readonly [over: Partial<EventRejectionFilter>, want: string])[] = [
    [{}, 'dcba'],
    [{ clientId: 'client-1' }, 'a'],
    [{ clientId: name }, 'c'],
    [{ eventType: 'user-app' }, 'ca'],
    [{ reason: 'not-json' }, 'b'],
    [{ since: new Date('2026-01-02T00:00:00Z') }, 'dcb'],
    [{ since: new Date('2026-01-02T00:00:00.001Z') }, 'dc'],
    [{ ids: ['a', 'c', 'nothing'] }, 'ca'],
    [{ ids: ['a', 'c'], clientId: name, eventType: 'user-app', reason: 'unknown-client' }, 'c'],
    [{ clientId: "'; DROP TABLE rejection; --" }, '']
  ]
  for (const [over, want] of rows) {
    const filter = { ...ALL, ...over }
    t.equal(idsOf(await records.listRejections(filter, 10)).join(''), want, JSON.stringify(over))
    const counts = await records.countRejections(filter)
    t.equal(
      [...counts.values()].reduce((sum, count) => sum + count, 0),
      want.length
    )
    const read: string[] = []
    for await (const { queueMessageId } of records.readRejections(filter, null))
      read.push(queueMessageId)
    t.equal(
      read.join(''),
      want.split('').reverse().join(''),
      'an export has the same rejections, oldest first'
    )
  }
  t.same(idsOf(await records.listRejections(ALL, 2)), ['d', 'c'])
  t.same(
    [...(await records.countRejections(ALL))],
    [
      ['unknown-client', 3],
      ['not-json', 1]
    ]
  )
})

async function find(id: string): Promise<EventRejectionRecord | null> {
  for await (const rejection of records.readRejections({ ...ALL, ids: [id] }, 1)) return rejection
  return null
}

t.test('a body is read as it was sent, whatever its encoding', async t => {
  const body = 'NUL \0, a lone \ud800, "quotes"'
  await plant(
    { id: 'odd', body: JSON.stringify(body), encoding: 'json-string' },
    { id: 'plain', body: '"\\u0000"' }
  )
  t.match(await find('odd'), {
    body,
    reason: 'unknown-client',
    violations: [{ pointer: '/client_id' }],
    redrivenAt: null
  })
  t.equal((await find('plain'))?.body, '"\\u0000"')
  t.equal(await find('nothing'), null)
  for await (const { queueMessageId, body: read } of records.readRejections(
    { ...ALL, ids: ['odd'] },
    1
  ))
    t.same([queueMessageId, read], ['odd', body])
})

t.test('a reader that stops early leaves no open transaction', async t => {
  await plant(...Array.from({ length: 50 }, (_, index) => ({ id: `id-${index}` })))
  for (let round = 0; round < 5; round++) {
    for await (const rejection of records.readRejections(ALL, null)) {
      t.ok(rejection.body)
      break
    }
  }
  t.equal(idsOf(await records.listRejections(ALL, 100)).length, 50)
})

t.test('concurrent claims take different rows, and only sent rejections are marked', async t => {
  await plant(
    ...['a', 'b', 'c', 'd'].map((id, index) => ({
      id,
      received: `2026-01-0${index + 1}T00:00:00Z`
    }))
  )
  const other = createRecords()
  const startedAt = await records.now()
  const claim = { filter: ALL, startedAt, after: null, maxRows: 2 }
  const last = await records.claimRejections(claim, async claimed => {
    t.same(idsOf(claimed), ['a', 'b'], 'oldest first')
    await other.claimRejections(claim, async concurrent => {
      t.same(idsOf(concurrent), ['c', 'd'])
      return ['c', 'd']
    })
    return ['a']
  })
  t.equal(last?.[1], 'b')
  const open = { ...ALL, isOpen: true }
  t.same(idsOf(await records.listRejections(open, 10)), ['b'])
  t.equal(
    await records.claimRejections({ ...claim, after: last }, () => Promise.resolve([])),
    null,
    'nothing is left after the last place'
  )
  await records.claimRejections(claim, async claimed => {
    t.same(idsOf(claimed), ['b'], 'rows marked since the start are not claimed again')
    return []
  })
  const again = { ...claim, startedAt: await records.now(), maxRows: 10 }
  await records.claimRejections(again, async claimed => {
    t.same(
      idsOf(claimed),
      ['a', 'b', 'c', 'd'],
      'a later redrive without the filter takes them all'
    )
    return []
  })
})

t.test('a claim whose send fails marks nothing and frees its rows', async t => {
  await plant({ id: 'a' })
  const claim = {
    filter: { ...ALL, isOpen: true },
    startedAt: await records.now(),
    after: null,
    maxRows: 10
  }
  await t.rejects(
    records.claimRejections(claim, () => Promise.reject(new Error('the queue is gone'))),
    { message: 'the queue is gone' }
  )
  await records.claimRejections(claim, async claimed => {
    t.same(idsOf(claimed), ['a'])
    return ['a']
  })
  t.same(await records.listRejections(claim.filter, 10), [])
})

t.test('a redrive leaves rejections received after its start to the next one', async t => {
  await plant({ id: 'before' })
  const startedAt = await records.now()
  await plant({ id: 'after' })
  await records.claimRejections(
    { filter: ALL, startedAt, after: null, maxRows: 10 },
    async claimed => {
      t.same(idsOf(claimed), ['before'])
      return []
    }
  )
})

t.test('a copy of a copy has the origin of the first copy', async t => {
  await plant(
    { id: 'first', received: '2026-01-01' },
    { id: 'copy', received: '2026-01-02', origin: 'first', messageId: 'first' }
  )
  await records.claimRejections(
    { filter: ALL, startedAt: await records.now(), after: null, maxRows: 10 },
    async claimed => {
      t.same(
        claimed.map(({ origin }) => origin),
        ['first', 'first']
      )
      return []
    }
  )
  t.same(idsOf(await records.findRejections('first', null)), ['copy', 'first'])
  t.same(idsOf(await records.findRejections('copy', null)), ['copy'])
})

t.test('an event is found by its key, in both tables', async t => {
  await pool.query(
    `INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message)
     VALUES ('client-1', 'user-app', 'e', '"one"'), ('client-2', 'user-app', 'e', '"two"')`
  )
  await plant(
    { id: 'q1', messageId: 'e', received: '2026-01-01' },
    { id: 'q2', messageId: 'e', client: 'client-2', received: '2026-01-02' },
    { id: 'e', messageId: null, client: null, received: '2026-01-03' }
  )
  t.match(await records.findStored('client-1', 'e'), [
    { clientId: 'client-1', eventType: 'user-app', payloadBytes: 5, tx: /^\d+$/ }
  ])
  t.same(
    (await records.findStored(null, 'e')).map(({ clientId }) => clientId),
    ['client-1', 'client-2']
  )
  t.same(await records.findStored('client-3', 'e'), [])
  t.same(idsOf(await records.findRejections('e', 'client-1')), ['e', 'q1'])
  await records.markRedriven(['q1', 'nothing'])
  t.same(idsOf(await records.listRejections({ ...ALL, isOpen: true }, 10)).sort(), ['e', 'q2'])
})

t.test('an unreachable database is a transient fault', async t => {
  const nowhere = new URL(connectionString)
  nowhere.port = '1'
  const unreachable = createPostgresPool(
    { connectionString: nowhere.href, ...limits },
    RECORDS_POOL
  )
  t.teardown(() => unreachable.end())
  const missing = createPostgresRecords(unreachable)
  await t.rejects(missing.listRejections(ALL, 1), { name: 'StoreError', fault: 'transient' })
  await t.rejects(
    missing.claimRejections({ filter: ALL, startedAt: '', after: null, maxRows: 1 }, () =>
      Promise.resolve([])
    ),
    { name: 'StoreError', fault: 'transient' }
  )
})
