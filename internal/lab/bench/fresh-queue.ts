/**
 * A fresh queue for each run of a scenario, with the dead-letter queue that the processor
 * needs.
 */
import { randomUUID } from 'node:crypto'
import { DeleteQueueCommand } from '@aws-sdk/client-sqs'
import { systemClock } from '../../engine/lifecycle/clock.js'
import type { SqsSender } from '../../engine/queue/sqs/call.js'
import { openQueue } from '../../engine/queue/sqs/provision.js'
import { createSqsQueue } from '../../engine/queue/sqs/queue.js'

export interface FreshQueue {
  readonly name: string
  readonly url: string
  /** Messages that are not deleted yet. */
  depth(): Promise<number>
  remove(): Promise<void>
}

const VISIBILITY_TIMEOUT_S = 60
const DAY_S = 86_400

export async function openFreshQueue(sqs: SqsSender, scenario: string): Promise<FreshQueue> {
  const name = `bench-${scenario}-${randomUUID()}`
  const { queueUrl, deadLetterQueueUrl } = await openQueue(sqs, {
    queueName: name,
    deadLetterQueueName: `${name}-dead-letters`,
    maxReceiveCount: 5,
    retentionS: DAY_S,
    deadLetterRetentionS: 14 * DAY_S,
    visibilityTimeoutS: VISIBILITY_TIMEOUT_S
  })
  const queue = createSqsQueue({
    sqs,
    queueUrl,
    pollers: 1,
    visibilityTimeoutS: VISIBILITY_TIMEOUT_S,
    waitTimeS: 0,
    clock: systemClock
  })
  return {
    name,
    url: queueUrl,
    async depth() {
      const { visible, inFlight, delayed } = await queue.inspect.depth()
      return visible + inFlight + delayed
    },
    async remove() {
      for (const url of [queueUrl, deadLetterQueueUrl])
        if (url !== null) await sqs.send(new DeleteQueueCommand({ QueueUrl: url }))
    }
  }
}
