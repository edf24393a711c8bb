import t from 'tap'
import { formatReceived, type ReceivedDelivery, readEnvelope } from './delivery.js'

const delivery = (over: Partial<ReceivedDelivery> = {}): ReceivedDelivery => ({
  receivedAt: new Date('2026-01-01T12:00:00.123Z'),
  path: '/hooks',
  webhookId: 'msg_1',
  eventType: 'user-app',
  eventId: 'e-1',
  clientId: 'client-1',
  isValid: true,
  why: null,
  seen: 1,
  status: 200,
  ...over
})

t.test('a delivery is shown as a line of text or of JSON', async t => {
  t.equal(
    formatReceived(delivery(), true),
    '12:00:00.123  200  user-app  client-1  msg_1  /hooks  valid'
  )
  t.match(formatReceived(delivery({ seen: 3 }), true), /valid {2}seen 3 times$/)
  t.match(formatReceived(delivery({ isValid: null }), true), /not checked$/)
  t.match(
    formatReceived(
      delivery({ isValid: false, why: 'Message timestamp too old', status: 401 }),
      true
    ),
    /401 .* NOT VALID: Message timestamp too old/
  )
  t.equal(
    formatReceived(delivery(), false),
    '{"msg":"delivery","receivedAt":"2026-01-01T12:00:00.123Z","path":"/hooks",' +
      '"webhookId":"msg_1","eventType":"user-app","eventId":"e-1","clientId":"client-1",' +
      '"valid":true,"seen":1,"status":200}'
  )
})

t.test('text from the sender can neither control a terminal nor break the line', async t => {
  const line = formatReceived(
    delivery({
      eventType: 'a\u{1b}[2Jb\nc',
      clientId: '\u{202e}x',
      webhookId: null,
      path: `/${'x'.repeat(500)}`
    }),
    true
  )
  t.equal(line, `12:00:00.123  200  a?[2Jb?c  ?x  -  /${'x'.repeat(59)}  valid`)
})

t.test('an envelope names its event; any other body gives nulls', async t => {
  t.same(
    readEnvelope(
      '{"type":"user-app","timestamp":"2026-01-01T00:00:00.000Z","id":"e-1","client":"client-1","data":{}}'
    ),
    {
      eventType: 'user-app',
      eventId: 'e-1',
      clientId: 'client-1'
    }
  )
  for (const body of ['', 'x', 'null', '[]', '"text"', '{"type":1,"id":null}'])
    t.same(readEnvelope(body), { eventType: null, eventId: null, clientId: null }, body)
})
