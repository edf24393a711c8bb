import t from 'tap'
import type { OutgoingMessage, SendOutcome } from '../../../engine/queue/queue.js'
import { MAX_MESSAGE_BYTES } from '../../../engine/queue/sqs/limits.js'
import { writerOf } from '../../../lab/testing/writer-of.js'
import { type Resendable, resend } from './resend.js'

const message = (queueMessageId: string, body = 'a body'): Resendable => ({
  queueMessageId,
  origin: `origin of ${queueMessageId}`,
  body
})

function createWriter(answer: (messages: readonly OutgoingMessage[]) => readonly SendOutcome[]) {
  const calls: (readonly OutgoingMessage[])[] = []
  const writer = writerOf(async messages => {
    calls.push(messages)
    return answer(messages)
  })
  return { writer, calls }
}
const accept = (messages: readonly OutgoingMessage[]) =>
  messages.map((_, index) => ({ id: `copy-${index}` }))

t.test('bodies are sent unchanged, with their origin', async t => {
  const { writer, calls } = createWriter(accept)
  const messages = Array.from({ length: 12 }, (_, n) => message(`m${n}`, ` {"n": ${n}} `))
  t.same(await resend(messages, writer), {
    sent: messages.map(({ queueMessageId }) => queueMessageId),
    refused: [],
    failed: []
  })
  t.same(calls[0]?.[3], { body: ' {"n": 3} ', origin: 'origin of m3' })
})

t.test('a message is sent in the group of its client, as producers do', async t => {
  const { writer, calls } = createWriter(accept)
  const bodies = [
    '{"client_id":"a","event_id":"e"}',
    '{"client_id":"b"}',
    '{"client_id":""}',
    '{"client_id":7}',
    '["a"]',
    'null',
    'not json'
  ]
  await resend(
    bodies.map((body, index) => message(`m${index}`, body)),
    writer
  )
  t.same(
    calls.flat().map(({ group }) => group),
    ['a', 'b', undefined, undefined, undefined, undefined, undefined]
  )
})

t.test('each message has an outcome of its own', async t => {
  const { writer } = createWriter(() => [
    { id: 'copy' },
    { code: 'InvalidMessageContents', retryable: false },
    { code: 'Busy', retryable: true }
  ])
  t.same(await resend([message('a'), message('b'), message('c'), message('d')], writer), {
    sent: ['a'],
    refused: [{ queueMessageId: 'b', code: 'InvalidMessageContents' }],
    failed: [
      { queueMessageId: 'c', code: 'Busy' },
      { queueMessageId: 'd', code: 'NoOutcome' }
    ]
  })
  const broken = createWriter(() => {
    throw new TypeError('a bug')
  })
  await t.rejects(resend([message('a')], broken.writer), TypeError)
})

t.test('a body too large for its origin goes without it, if its event has its own id', async t => {
  const { writer, calls } = createWriter(accept)
  const body = (more: string): string => {
    const empty = `{${more}"message":""}`
    return `{${more}"message":"${'x'.repeat(MAX_MESSAGE_BYTES - empty.length)}"}`
  }
  await resend(
    [
      message('with', body('"event_id":"e-1",')),
      message('without', body('')),
      message('nothing', 'x'.repeat(MAX_MESSAGE_BYTES))
    ],
    writer
  )
  t.same(
    calls.flat().map(({ origin }) => origin),
    [undefined, 'origin of without', 'origin of nothing'],
    'the others are the queue’s to refuse'
  )
})
