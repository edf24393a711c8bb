import { ReceiveMessageCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import t from 'tap'
import { CALL_DEADLINE_MS } from '../call.js'
import { HOT_CALLS } from './hot-calls.js'

await t.test('a receive may take as long as its poll, or as the longest one', async t => {
  const receive = HOT_CALLS.get(ReceiveMessageCommand)
  t.equal(receive?.waitTimeS({ WaitTimeSeconds: 3 }), 3)
  t.equal(receive?.waitTimeS({}), 20, 'the queue may have a wait of its own')
})

await t.test('a send without an answer is not repeated: it may have arrived', async t => {
  const waitTimeS = HOT_CALLS.get(SendMessageBatchCommand)?.waitTimeS({}) ?? 0
  t.ok(waitTimeS * 1_000 > CALL_DEADLINE_MS, 'its caller gives up first')
})
