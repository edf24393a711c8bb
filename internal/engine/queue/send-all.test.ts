import t from 'tap'
import { writerOf } from '../../lab/testing/writer-of.js'
import { sendAll } from './send-all.js'

const items = ['a', 'b', 'c', 'd']
const toMessage = (item: string) => ({ body: `body of ${item}` })

t.test('items are sorted by the outcome of their message, in order', async t => {
  const writer = writerOf(async messages => [
    { id: `id of ${messages[0]?.body ?? ''}` },
    { code: 'TooLong', retryable: false },
    { code: 'Busy', retryable: true }
  ])
  t.same(await sendAll(items, toMessage, writer), {
    sent: [{ item: 'a', id: 'id of body of a' }],
    refused: [{ item: 'b', code: 'TooLong' }],
    failed: [
      { item: 'c', code: 'Busy' },
      { item: 'd', code: 'NoOutcome' }
    ]
  })
})

t.test('a writer that throws is a bug, not an outcome', async t => {
  const broken = writerOf(async () => {
    throw new TypeError('a bug')
  })
  await t.rejects(sendAll(items, toMessage, broken), TypeError)
})
