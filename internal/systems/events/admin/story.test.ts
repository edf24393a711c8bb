import t from 'tap'
import type { EventRejectionHead, StoredEvent } from '../store/records.js'
import { readDeadLetter } from './dead-letter.js'
import { createStory, type Facts } from './story.js'

const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second))
const rejection = (over: Partial<EventRejectionHead> = {}): EventRejectionHead => ({
  queueMessageId: 'q-1',
  origin: null,
  clientId: 'client-1',
  eventType: 'user-app',
  messageId: 'e-1',
  reason: 'unknown-client',
  violations: [{ pointer: '/client_id', keyword: 'registered', message: 'why' }],
  receiveCount: 1,
  sentAt: at(1),
  receivedAt: at(2),
  redrivenAt: null,
  bodyBytes: 10,
  ...over
})
const stored: StoredEvent = {
  clientId: 'client-1',
  eventType: 'user-app',
  messageId: 'e-1',
  receivedAt: at(5),
  tx: '815',
  payloadBytes: 7
}
const dead = readDeadLetter({
  id: 'q-2',
  token: 'h',
  body: '{}',
  bytes: 2,
  receiveCount: 6,
  sentAtMs: 0
})
const tell = (facts: Partial<Facts>) =>
  createStory({ stored: [], rejections: [], deadLetters: null, ...facts })

t.test('the outcome is the latest that tables and queues know', async t => {
  const redriven = rejection({ redrivenAt: at(4) })
  const rows: readonly (readonly [why: string, facts: Partial<Facts>, want: string])[] = [
    ['nothing is known', {}, 'unknown'],
    ['nobody looked, or nothing was there', { deadLetters: [] }, 'unknown'],
    ['stored at once', { stored: [stored] }, 'stored'],
    ['refused', { rejections: [rejection()] }, 'refused'],
    ['redriven and on its way', { rejections: [redriven] }, 'redriven'],
    [
      'redriven and refused again',
      { rejections: [redriven, rejection({ queueMessageId: 'q-2', origin: 'q-1' })] },
      'refused'
    ],
    ['redriven and stored', { rejections: [redriven], stored: [stored] }, 'stored'],
    ['redriven and buried', { rejections: [redriven], deadLetters: [dead] }, 'dead-lettered'],
    ['stored, its deletes failed, and buried', { stored: [stored], deadLetters: [dead] }, 'stored'],
    [
      'a conflict with what is gone by now',
      { rejections: [rejection({ reason: 'conflict' })] },
      'refused'
    ]
  ]
  for (const [why, facts, want] of rows) t.equal(tell(facts).outcome, want, why)
})

t.test('steps are in the order of time, whatever the order of the rows', async t => {
  const copy = rejection({
    queueMessageId: 'q-2',
    origin: 'q-1',
    sentAt: at(4),
    receivedAt: at(4.5),
    reason: 'conflict'
  })
  const { steps, open, conflicts } = tell({
    stored: [stored],
    rejections: [copy, rejection({ redrivenAt: at(3) })]
  })
  t.same(
    steps.map(({ what, queueMessageId }) => `${what} ${queueMessageId ?? ''}`),
    ['sent q-1', 'refused q-1', 'redriven q-1', 'sent q-2', 'refused q-2', 'stored ']
  )
  t.match(steps[3]?.text, 'q-2, a copy of q-1')
  t.match(steps[5]?.text, 'in transaction 815')
  t.same([open.length, conflicts.length], [0, 1])
})
