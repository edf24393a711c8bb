import t, { type Test } from 'tap'
import type { ReceivedMessage } from '../../../engine/message/message.js'
import { QueueError } from '../../../engine/queue/queue.js'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import { createMemoryQueue } from '../../../lab/testing/memory-queue.js'
import { scanQueue, type Visited } from './scan-queue.js'

const never = new AbortController().signal
const keep: Visited = { gone: new Set(), isEnough: false }

async function setup(t: Test, count: number) {
  const clock = createManualClock()
  const queue = createMemoryQueue({ clock, visibilityTimeoutS: 30 })
  t.teardown(() => queue.close())
  for (let n = 0; n < count; n++) await queue.send([{ body: `body ${n}` }])
  const hidden = () => queue.messages().filter(({ isInFlight }) => isInFlight).length
  return { clock, queue, hidden }
}

t.test('each message is visited once, hidden meanwhile, and given back at the end', async t => {
  const { clock, queue, hidden } = await setup(t, 35)
  const bodies: string[] = []
  const walked = await scanQueue({
    queue,
    clock,
    signal: never,
    visit(messages) {
      bodies.push(...messages.map(({ body }) => body))
      t.equal(hidden(), bodies.length)
      return keep
    }
  })
  t.same(walked, { seen: 35, expected: 35, hidden: 0 })
  t.equal(new Set(bodies).size, 35)
  t.equal(hidden(), 0, 'all are visible again')
})

t.test('isEnough ends the scan, and what is gone is not given back', async t => {
  const { clock, queue, hidden } = await setup(t, 35)
  const walked = await scanQueue({
    queue,
    clock,
    signal: never,
    async visit(messages) {
      await queue.ack(messages.slice(0, 4))
      return { gone: new Set(messages.slice(0, 4).map(({ id }) => id)), isEnough: true }
    }
  })
  t.equal(walked.seen, 10)
  t.equal(queue.messages().length, 31)
  t.equal(hidden(), 0)
})

t.test('a failure and a stop give everything back too', async t => {
  const { clock, queue, hidden } = await setup(t, 25)
  await t.rejects(
    scanQueue({
      queue,
      clock,
      signal: never,
      visit() {
        throw new Error('a bug')
      }
    }),
    { message: 'a bug' }
  )
  t.equal(hidden(), 0)
  const stop = new AbortController()
  const walked = await scanQueue({
    queue,
    clock,
    signal: stop.signal,
    visit() {
      stop.abort()
      return keep
    }
  })
  t.equal(walked.seen, 10)
  t.equal(hidden(), 0)
  queue.failNext('receive', new QueueError('ThrottlingException', 'too fast'))
  await t.rejects(scanQueue({ queue, clock, signal: never, visit: () => keep }), {
    code: 'ThrottlingException'
  })
})

t.test('a scan that outlasts its messages’ time visits none twice, and ends', async t => {
  const { clock, queue, hidden } = await setup(t, 30)
  const visited: ReceivedMessage[] = []
  const walked = await scanQueue({
    queue,
    clock,
    signal: never,
    before: () => clock.advanceAsync(21_000),
    visit(messages) {
      visited.push(...messages)
      return keep
    }
  })
  t.equal(new Set(visited.map(({ id }) => id)).size, visited.length)
  t.ok(walked.seen <= 30)
  t.equal(hidden(), 0)
})

t.test('messages that another receiver holds are counted', async t => {
  const { clock, queue } = await setup(t, 3)
  await queue.inspect.take(2, 60)
  t.same(await scanQueue({ queue, clock, signal: never, visit: () => keep }), {
    seen: 1,
    expected: 1,
    hidden: 2
  })
})
