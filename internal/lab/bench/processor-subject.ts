/**
 * Starts the real built processor, as a user would, on the bench's queue and database.
 *
 * Errors  rejects with the last lines of its log when it ends by itself.
 */

import type { Environment } from '../../engine/config/environment.js'
import { largestSample, readSamples, type Sample } from '../../engine/observe/prometheus-text.js'
import { EMBEDDED_AWS } from '../../engine/queue/sqs/settings.js'
import { BuiltProgram, inheritedFrom } from '../programs/built-program.js'
import type { MeasuredSubject } from './measured-subject.js'
import { readHistogram } from './read-histogram.js'

export interface ProcessorSpec {
  readonly sqsEndpoint: string
  readonly dbConnection: string
  readonly queueName: string
  readonly workers: number
  readonly pollers: number
  /** Where it runs: a directory without anyone's .env. */
  readonly directory: string
  /**
   * Only the few variables that every program needs are passed on, and those of COMPARED.
   */
  readonly env: Environment
}

export interface ProcessorSubject extends MeasuredSubject {
  /** What /metrics answers. */
  metrics(): Promise<readonly Sample[]>
}

/** Settings worth comparing, passed on from the bench's environment. */
const COMPARED = [
  'SQS_TRANSPORT',
  'BATCH_LINGER_MS',
  'BATCH_MAX_MESSAGES',
  'IN_FLIGHT_MAX_MESSAGES'
]

/** Resolves when a worker is about to receive. */
export async function startProcessorSubject(spec: ProcessorSpec): Promise<ProcessorSubject> {
  const { directory } = spec
  const program = new BuiltProgram({ name: 'processor', directory, env: environment(spec) })
  const { metrics: url } = await program.said('listening')
  await program.said('receiving')
  const metrics = async (): Promise<readonly Sample[]> =>
    readSamples(await (await fetch(String(url))).text())
  return {
    pid: program.pid,
    failure: program.failure,
    metrics,
    settled: () => Promise.resolve(null),
    async readings() {
      const samples = await metrics()
      return {
        dwell: readHistogram(samples, 'event_process_queue_dwell_seconds'),
        batchRows: readHistogram(samples, 'event_process_batch_rows'),
        commitSeconds: readHistogram(samples, 'event_process_commit_seconds'),
        lagSeconds: largestSample(samples, 'event_process_eventloop_lag_seconds')
      }
    },
    async stop() {
      await program.end()
    }
  }
}

function environment({
  sqsEndpoint,
  dbConnection,
  queueName,
  workers,
  pollers,
  env
}: ProcessorSpec): Record<string, string> {
  return {
    ...inheritedFrom(env, ...COMPARED),
    DB_CONNECTION: dbConnection,
    QUEUE_NAME: queueName,
    AWS_ENDPOINT: sqsEndpoint,
    AWS_REGION: EMBEDDED_AWS.region,
    AWS_ACCESS_KEY_ID: EMBEDDED_AWS.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: EMBEDDED_AWS.credentials.secretAccessKey,
    WORKERS: String(workers),
    POLLERS: String(pollers),
    METRICS_PORT: '0'
  }
}
