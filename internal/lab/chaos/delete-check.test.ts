import t from 'tap'
import { createTestDatabase } from '../testing/database.js'
import { DeleteCheck, FIND_MISSING, type Whereabouts } from './delete-check.js'
import type { SeenMessage } from './queue-proxy.js'

const { pool } = await createTestDatabase(t)

const message = (id: string, body: object | string): SeenMessage => ({
  MessageId: id,
  ReceiptHandle: `handle ${id}`,
  Body: typeof body === 'string' ? body : JSON.stringify(body)
})
const handles = (...ids: string[]): string[] => ids.map(id => `handle ${id}`)

function setup() {
  const missing: string[] = []
  let isDown = false
  let answer = Promise.resolve()
  const check = new DeleteCheck({
    async findMissing(messages: readonly Whereabouts[]) {
      await answer
      if (isDown) throw new Error('the database is down')
      const columns = [
        messages.map(m => m.queueMessageId),
        messages.map(m => m.clientId),
        messages.map(m => m.messageId)
      ]
      return (await pool.query<Pick<Whereabouts, 'queueMessageId'>>(FIND_MISSING, columns)).rows
    },
    onMissing: ids => missing.push(...ids)
  })
  return {
    check,
    missing,
    setDown: (down: boolean) => (isDown = down),
    answerAfter: (promise: Promise<void>) => (answer = promise)
  }
}

t.before(async () => {
  await pool.query(`
    INSERT INTO message (message_id, message, fk_event_type_name, fk_client_name)
    VALUES ('own-id', '"x"', 'user-app', 'client-1'), ('q2', '"x"', 'user-app', 'client-1')`)
  await pool.query(
    `INSERT INTO rejection (queue_message_id, reason, violations, body, receive_count) VALUES ('q3', 'not-json', '[]', '{', 1)`
  )
})

t.test(
  'a delete passes if the message has a row by its id, the queue’s id or a rejection',
  async t => {
    const { check, missing } = setup()
    check.received([
      message('q1', { client_id: 'client-1', event_id: 'own-id' }),
      message('q2', { client_id: 'client-1' }),
      message('q3', '{')
    ])
    await check.deleting(handles('q1', 'q2', 'q3'))
    t.same(missing, [])
    t.equal(check.checked, 3)
  }
)

t.test(
  'a delete without a row is reported, even if another client has a row of that id',
  async t => {
    const { check, missing } = setup()
    check.received([
      message('q4', { client_id: 'client-1', event_id: 'new' }),
      message('q5', { client_id: 'client-2', event_id: 'own-id' }),
      message('q6', 'no event'),
      message('q7', { client_id: 'nul\0', event_id: 'nul\0' }),
      message('q8', 'null')
    ])
    await check.deleting(handles('q4', 'q5', 'q6', 'q7', 'q8'))
    t.same(missing.toSorted(), ['q4', 'q5', 'q6', 'q7', 'q8'])
  }
)

t.test('deletes during a database outage are checked once, after it', async t => {
  const { check, missing, setDown } = setup()
  check.received([
    message('q9', { client_id: 'client-1' }),
    message('q2', { client_id: 'client-1' })
  ])
  setDown(true)
  await check.deleting(handles('q9', 'q2'))
  await check.catchUp()
  t.same([missing, check.checked], [[], 0])
  setDown(false)
  await check.catchUp()
  await check.catchUp()
  t.same([missing, check.checked], [['q9'], 2])
})

for (const [how, end] of [
  [
    'no answer',
    (_resolve: () => void, reject: (error: Error) => void) => reject(new Error('no connection'))
  ],
  ['a late one', (resolve: () => void) => resolve()]
] as const) {
  t.test(
    `a retried delete is checked while the earlier check hangs, and reported once: ${how}`,
    async t => {
      const { check, missing, answerAfter } = setup()
      check.received([
        message('q1', { client_id: 'client-1', event_id: 'own-id' }),
        message('q9', { client_id: 'client-1' })
      ])
      let endIt = (): void => undefined
      answerAfter(new Promise<void>((resolve, reject) => (endIt = () => end(resolve, reject))))
      const hanging = check.deleting(handles('q1', 'q9'))
      answerAfter(Promise.resolve())
      await check.deleting(handles('q1', 'q9'))
      t.same([missing, check.checked], [['q9'], 2], 'before it goes on')
      endIt()
      await hanging
      await check.catchUp()
      t.same([missing, check.checked], [['q9'], 2])
    }
  )
}
