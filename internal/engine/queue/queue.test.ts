import t from 'tap'
import { connectBareQueue, connectBareWriter } from '../../lab/testing/bare-queue.js'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import { createMemoryQueue } from '../../lab/testing/memory-queue.js'
import { queueConformance } from '../../lab/testing/queue-conformance.js'
import type { QueueHarness } from '../../lab/testing/queue-harness.js'
import { startTestSqs, TEST_CREDENTIALS, TEST_REGION } from '../../lab/testing/sqs.js'
import { systemClock } from '../lifecycle/clock.js'
import { createSqsClient } from './sqs/client.js'
import { createSqsQueue } from './sqs/queue.js'
import { createSqsWriter } from './sqs/writer.js'

const LIKE_SQS: Omit<QueueHarness, 'open'> = {
  abilities: { leases: true, inspect: true, deadLetters: false, countsDeliveries: true },
  unsendable: [{ body: '' }, { body: 'a raw \u0000' }]
}

await t.test('the queue in memory', t =>
  queueConformance(t, {
    ...LIKE_SQS,
    async open(_, { leaseS }) {
      const clock = createManualClock()
      const queue = createMemoryQueue({ clock, visibilityTimeoutS: leaseS })
      return {
        connect: async () => queue,
        writer: queue,
        deadBodies: async () => [],
        passTime: ms => clock.advanceAsync(ms)
      }
    }
  })
)

await t.test('a queue with as few capabilities as a broker may have', t =>
  queueConformance(t, {
    abilities: { leases: false, inspect: false, deadLetters: true, countsDeliveries: false },
    unsendable: [{ body: 'late', delayS: 1 }],
    async open() {
      const clock = createManualClock()
      const memory = createMemoryQueue({ clock, visibilityTimeoutS: 43_200 })
      const deadBodies: string[] = []
      return {
        connect: async () => connectBareQueue(memory, deadBodies),
        writer: connectBareWriter(memory),
        deadBodies: async () => deadBodies,
        passTime: ms => clock.advanceAsync(ms)
      }
    }
  })
)

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
    await queueConformance(t, {
      ...LIKE_SQS,
      async open(_, { leaseS }) {
        const { queueUrl } = createQueue()
        return {
          connect: async () =>
            createSqsQueue({
              sqs,
              queueUrl,
              pollers: 3,
              visibilityTimeoutS: leaseS,
              waitTimeS: 1,
              clock: systemClock
            }),
          writer: createSqsWriter({ sqs, queueUrl }),
          deadBodies: async () => [],
          passTime: () => Promise.resolve()
        }
      }
    })
  })
}
