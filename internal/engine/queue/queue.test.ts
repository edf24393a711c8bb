import t from 'tap'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import { createMemoryQueue } from '../../lab/testing/memory-queue.js'
import { testQueueConformance } from '../../lab/testing/queue-conformance.js'
import { startTestSqs, TEST_CREDENTIALS, TEST_REGION } from '../../lab/testing/sqs.js'
import { systemClock } from '../lifecycle/clock.js'
import { createSqsClient } from './sqs/client.js'
import { createSqsQueue } from './sqs/queue.js'
import { createSqsWriter } from './sqs/writer.js'

await t.test('the queue in memory', async t => {
  await testQueueConformance(t, async (_, { visibilityTimeoutS }) => {
    const clock = createManualClock()
    const queue = createMemoryQueue({ clock, visibilityTimeoutS })
    return { queue, writer: queue, passTime: ms => clock.advanceAsync(ms) }
  })
})

for (const transport of ['lean', 'sdk'] as const) {
  await t.test(`the queue on SQS over the ${transport} transport`, async t => {
    const { endpoint, createQueue } = await startTestSqs(t)
    const sqs = createSqsClient({
      region: TEST_REGION,
      endpoint,
      credentials: TEST_CREDENTIALS,
      maxSockets: 50,
      transport
    })
    t.teardown(async () => sqs.destroy())
    await testQueueConformance(t, async (_, { visibilityTimeoutS }) => {
      const { queueUrl } = createQueue()
      const queue = createSqsQueue({
        sqs,
        queueUrl,
        pollers: 3,
        visibilityTimeoutS,
        waitTimeS: 1,
        clock: systemClock
      })
      return {
        queue,
        writer: createSqsWriter({ sqs, queueUrl }),
        passTime: () => Promise.resolve()
      }
    })
  })
}
