/**
 * Starts the real built processor, as a user would, on the bench's queue and database.
 *
 * Errors  rejects with the last lines of its log when it ends by itself.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { EMBEDDED_AWS } from '../config/config.js'
import type { Environment } from '../config/environment.js'
import { killAfter, type MeasuredSubject, onceReceiving } from './measured-subject.js'
import { readGauge, readHistogram } from './metrics-text.js'

export interface ProcessorSpec {
  readonly sqsEndpoint: string
  readonly dbConnection: string
  readonly queueName: string
  readonly workers: number
  readonly pollers: number
  /** Where it runs: a directory without an .env of somebody's own. */
  readonly directory: string
  /** Only the few variables that any program needs are taken from it. */
  readonly env: Environment
}

export interface ProcessorSubject extends MeasuredSubject {
  /** What /metrics answers. */
  metrics(): Promise<string>
}

interface LogLine {
  readonly msg?: string
  readonly metrics?: string
}

/** Of the environment, what a system needs, and the settings that are worth comparing. */
const INHERITED = ['PATH', 'HOME', 'TZ', 'NODE_OPTIONS', 'SQS_TRANSPORT', 'BATCH_LINGER_MS', 'BATCH_MAX_MESSAGES', 'IN_FLIGHT_MAX_MESSAGES']
const KEPT_LINES = 20

/** Resolves when a worker is about to receive. */
export async function startProcessor(spec: ProcessorSpec): Promise<ProcessorSubject> {
  const entry = fileURLToPath(new URL('../../cmd/processor/index.js', import.meta.url))
  const child = spawn(process.execPath, [entry], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
    cwd: spec.directory,
    env: environment(spec)
  })
  const lastLines: string[] = []
  let metricsUrl = ''
  let isStopping = false
  let onReceiving: () => void = () => undefined
  const receiving = new Promise<void>(resolve => {
    onReceiving = resolve
  })
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', line => {
      lastLines.push(line)
      if (lastLines.length > KEPT_LINES) lastLines.shift()
      const { msg, metrics } = parseLine(line)
      if (msg === 'listening' && metrics !== undefined) metricsUrl = metrics
      if (msg === 'receiving') onReceiving()
    })
  }
  const exited = new Promise<void>(resolve => child.once('close', () => resolve()))
  const failure = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (!isStopping) reject(new Error(`the processor ended by itself (${signal ?? `exit code ${code ?? 0}`}):\n${lastLines.join('\n')}`))
    })
  })
  // Whoever waits for anything else races against it; with nobody waiting it must not end the bench.
  failure.catch(() => undefined)

  const metrics = async (): Promise<string> => (await fetch(metricsUrl)).text()
  const subject: ProcessorSubject = {
    pid: child.pid ?? 0,
    failure,
    metrics,
    settled: () => Promise.resolve(null),
    async readings() {
      const text = await metrics()
      return {
        dwell: readHistogram(text, 'event_process_queue_dwell_seconds'),
        batchRows: readHistogram(text, 'event_process_batch_rows'),
        commitSeconds: readHistogram(text, 'event_process_commit_seconds'),
        lagSeconds: readGauge(text, 'event_process_eventloop_lag_seconds')
      }
    },
    stop() {
      isStopping = true
      child.kill('SIGTERM')
      return killAfter(() => child.kill('SIGKILL'), exited)
    }
  }
  return onceReceiving(subject, receiving)
}

function environment({ sqsEndpoint, dbConnection, queueName, workers, pollers, env }: ProcessorSpec): Record<string, string> {
  const inherited = INHERITED.flatMap(name => (env[name] === undefined ? [] : [[name, env[name]] as const]))
  return {
    ...Object.fromEntries(inherited),
    DB_CONNECTION: dbConnection,
    QUEUE_NAME: queueName,
    AWS_ENDPOINT: sqsEndpoint,
    AWS_REGION: EMBEDDED_AWS.region,
    AWS_ACCESS_KEY_ID: EMBEDDED_AWS.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: EMBEDDED_AWS.credentials.secretAccessKey,
    WORKERS: String(workers),
    POLLERS: String(pollers),
    METRICS_PORT: '0',
    LOG_FORMAT: 'json'
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return {}
  }
}
