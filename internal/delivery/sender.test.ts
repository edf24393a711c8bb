import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { startStubHttp } from '../testing/stub-http.js'
import { until } from '../testing/until.js'
import { createWholeSender } from '../testing/whole-sender.js'

t.test('a stored event reaches its endpoint once, signed, with its payload as it was stored', async t => {
  const whole = await createWholeSender(t)
  const recipient = await startStubHttp(t, reply => reply.end('thanks'))
  const { secret } = await whole.addEndpoint(`${recipient.origin}/events`)
  await whole.pool.query(
    `INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message, received_at) VALUES ('client-1', 'user-app', 'e.1', '{ "price": 1.10 }', '2026-01-02T03:04:05.678Z')`
  )
  whole.start()
  await until('the event arrives', () => recipient.requests.length > 0)
  const [request] = recipient.requests
  t.equal(request?.path, '/events')
  t.equal(
    request?.body,
    '{"type":"user-app","timestamp":"2026-01-02T03:04:05.678Z","id":"e.1","client":"client-1","data":{ "price": 1.10 }}'
  )
  t.doesNotThrow(() => new Webhook(secret).verify(request!.body, request!.headers as Record<string, string>))
  const attempts = async () => (await whole.pool.query('SELECT attempt, status, error_class, response FROM delivery_attempt')).rows
  await until('the attempt is recorded', async () => (await attempts()).length > 0)
  t.same(await attempts(), [{ attempt: 1, status: 200, error_class: null, response: 'thanks' }])
  t.same((await whole.pool.query('SELECT state, attempts FROM delivery')).rows, [{ state: 'delivered', attempts: 1 }])
  t.equal(recipient.requests.length, 1)
})
