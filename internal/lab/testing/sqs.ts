/**
 * An SQS emulator in the test's process, on a free port. Each call of `startTestSqs`
 * starts one, and the test's teardown ends it. `createQueue` creates a queue with a
 * unique name.
 */
import type { SQSClient } from '@aws-sdk/client-sqs'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { createSqsClient, type SqsTransport } from '../../engine/queue/sqs/client.js'

export interface TestQueue {
  readonly name: string
  readonly queueUrl: string
}

export interface TestSqs {
  readonly endpoint: string
  /** The emulator itself, to look inside. */
  readonly server: FauxqsServer
  /** A client for it, destroyed at teardown. */
  readonly sqs: SQSClient
  readonly createQueue: (attributes?: Record<string, string>) => TestQueue
}

export const TEST_REGION = 'eu-west-1'
export const TEST_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' }

/**
 * `SQS_TRANSPORT=sdk npm test` runs every test that does not name a transport over the
 * SDK.
 */
export const TEST_TRANSPORT: SqsTransport = process.env['SQS_TRANSPORT'] === 'sdk' ? 'sdk' : 'lean'

export async function startTestSqs(t: {
  teardown(fn: () => Promise<void>): void
}): Promise<TestSqs> {
  const server = await startFauxqs({
    port: 0,
    logger: false,
    host: 'localhost',
    defaultRegion: TEST_REGION
  })
  const endpoint = `http://127.0.0.1:${server.port}`
  const sqs = createSqsClient({
    region: TEST_REGION,
    endpoint,
    credentials: TEST_CREDENTIALS,
    maxSockets: 50,
    transport: TEST_TRANSPORT
  })
  t.teardown(async () => {
    sqs.destroy()
    await server.stop()
  })
  let queues = 0
  return {
    endpoint,
    server,
    sqs,
    createQueue(attributes = {}) {
      queues++
      const { queueName, queueUrl } = server.createQueue(`test-queue-${queues}`, {
        region: TEST_REGION,
        attributes
      })
      return { name: queueName, queueUrl }
    }
  }
}
