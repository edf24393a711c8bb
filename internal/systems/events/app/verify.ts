/**
 * `node dist/cmd/verify`: looks up every event of a ledger in tables and queues; exit
 * code 1 when something is wrong.
 */
import pg from 'pg'
import { createHelp } from '../../../engine/cli/help-service.js'
import type { Environment } from '../../../engine/config/environment.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { ExpectedError, type Service } from '../../../engine/lifecycle/service.js'
import type { QueueProgramConfig } from '../../../engine/program/config.js'
import { findServices } from '../../../engine/program/services.js'
import { QueueError } from '../../../engine/queue/queue.js'
import { createSqsClient } from '../../../engine/queue/sqs/client.js'
import { openQueue } from '../../../engine/queue/sqs/provision.js'
import { createSqsQueue } from '../../../engine/queue/sqs/queue.js'
import { readQueueProgramConfig } from '../config/config.js'
import { readLedger } from '../producer/ledger-reader.js'
import { parseVerifyArguments, VERIFY_HELP, type VerifyArguments } from '../verify/arguments.js'
import { readMetricTotals } from '../verify/metrics.js'
import { type Depths, formatReport, type MetricTotals, type Report } from '../verify/report.js'
import { verify } from '../verify/verify.js'

const METRICS_TIMEOUT_MS = 10_000

export function createVerify(env: Environment, args: readonly string[]): Service {
  const command = parseVerifyArguments(args)
  if (command.kind === 'help') return createHelp(VERIFY_HELP)
  const config = readQueueProgramConfig(env)
  return {
    async run(signal) {
      const report = await examine(config, command, signal).catch((error: unknown) => {
        throw explained(error)
      })
      process.stdout.write(
        command.isJson ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report)
      )
      if (!report.ok) process.exitCode = 1
    }
  }
}

async function examine(
  config: QueueProgramConfig,
  { ledger, waitMs, metrics }: VerifyArguments,
  signal: AbortSignal
): Promise<Report> {
  const services = await findServices(config.services)
  const sqs = createSqsClient({ ...services.aws, maxSockets: 2, transport: config.queue.transport })
  const db = new pg.Client({
    connectionString: services.dbConnection,
    application_name: 'event-process verify',
    keepAlive: true
  })
  // A lost connection also fails the running query; without a listener its event would
  // end the process.
  db.on('error', () => undefined)
  try {
    const { queueUrl, deadLetterQueueUrl, notes } = await openQueue(sqs, config.queue)
    for (const note of notes) process.stderr.write(`${note}\n`)
    const depthOf = async (
      url: string
    ): Promise<{ readonly all: number; readonly delayed: number }> => {
      const { visible, inFlight, delayed } = await createSqsQueue({
        sqs,
        queueUrl: url,
        pollers: 1,
        clock,
        ...config.queue
      }).inspect.depth()
      return { all: visible + inFlight + delayed, delayed }
    }
    await db.connect()
    // This reads whole tables; a role's own limit is meant for short statements.
    await db.query('SET statement_timeout = 0')
    let tornLine: number | null = null
    return await verify({
      ledger: readLedger(ledger, line => (tornLine = line)),
      tornLine: () => tornLine,
      db,
      depths: async (): Promise<Depths> => {
        // The queue first: a message that moves in between is counted twice rather than
        // not at all.
        const { all: queue, delayed } = await depthOf(queueUrl)
        return {
          queue,
          delayed,
          deadLetters: deadLetterQueueUrl === null ? 0 : (await depthOf(deadLetterQueueUrl)).all
        }
      },
      metricTotals: metrics === null ? null : () => fetchTotals(metrics),
      waitMs,
      clock,
      signal
    })
  } finally {
    sqs.destroy()
    await db.end()
  }
}

async function fetchTotals(url: string): Promise<MetricTotals> {
  const response = await fetch(url, { signal: AbortSignal.timeout(METRICS_TIMEOUT_MS) }).catch(
    (error: unknown) => {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      throw new ExpectedError(
        `${url} does not answer: ${cause instanceof Error ? cause.message : String(cause)}`
      )
    }
  )
  if (!response.ok) throw new ExpectedError(`${url} answered ${response.status}`)
  return readMetricTotals(await response.text())
}

/**
 * Reports a failure of queue, database or network in one line; anything else is a bug and
 * keeps its stack.
 */
function explained(error: unknown): unknown {
  if (error instanceof QueueError)
    return new ExpectedError(`The queue request failed: ${error.message} (${error.code})`)
  if (error instanceof pg.DatabaseError)
    return new ExpectedError(
      `The database query failed: ${error.message} (SQLSTATE ${error.code ?? '?'})`
    )
  // An AggregateError of several addresses has no message of its own.
  const { code, message } = error as { readonly code?: unknown; readonly message?: string }
  return typeof code === 'string'
    ? new ExpectedError(`The database cannot be reached: ${message || code}`)
    : error
}
