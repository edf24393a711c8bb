/**
 * `node dist/cmd/admin`: clients, event types, schemas, rejections, dead letters,
 * endpoints, deliveries and single events, for people. Exit codes:
 * internal/engine/cli/command.ts.
 */
import { parseAdminArguments } from '../../../engine/cli/arguments.js'
import type { AdminContext, AdminQueues, ExitCode, Work } from '../../../engine/cli/command.js'
import { ArgumentsError } from '../../../engine/cli/flags.js'
import { createHelp } from '../../../engine/cli/help-service.js'
import { createOutput, type Output } from '../../../engine/cli/output.js'
import type { Environment } from '../../../engine/config/environment.js'
import { StoreError } from '../../../engine/intake/store.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { ExpectedError, type Service } from '../../../engine/lifecycle/service.js'
import { createPostgresPool } from '../../../engine/postgres/pool.js'
import type { QueueProgramConfig } from '../../../engine/program/config.js'
import { findServices } from '../../../engine/program/services.js'
import { QueueError } from '../../../engine/queue/queue.js'
import { createSqsClient } from '../../../engine/queue/sqs/client.js'
import { openQueue } from '../../../engine/queue/sqs/provision.js'
import { createSqsQueue } from '../../../engine/queue/sqs/queue.js'
import { createSqsWriter } from '../../../engine/queue/sqs/writer.js'
import { GROUPS } from '../admin/groups.js'
import { readQueueProgramConfig } from '../config/config.js'
import { createPostgresDeliveryRecords } from '../delivery/store/postgres-delivery-records.js'
import { createPostgresEndpoints } from '../delivery/store/postgres-endpoints.js'
import { createPostgresClientLimits } from '../store/postgres-client-limits.js'
import { createPostgresClients, createPostgresEventTypes } from '../store/postgres-names.js'
import { createPostgresRecords } from '../store/postgres-records.js'
import { createPostgresSchemaRegistry } from '../store/postgres-schema-registry.js'
import { createAdminEgress, type LazyEgress } from './admin-egress.js'

export function createAdmin(env: Environment, args: readonly string[]): Service {
  let work: Work
  try {
    const command = parseAdminArguments(args, GROUPS, clock.epochMs())
    if (command.kind === 'help') return createHelp(command.text)
    work = command.work
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error
    return createUsageFailure(error)
  }
  const config = readQueueProgramConfig(env)
  return {
    async run(signal) {
      const egress = createAdminEgress(env)
      try {
        process.exitCode = await perform(
          config,
          work,
          egress,
          createOutput(process.stdout, process.stderr),
          signal
        ).catch((error: unknown) => {
          throw explained(error)
        })
      } finally {
        await egress.close()
      }
    }
  }
}

function createUsageFailure(error: ArgumentsError): Service {
  return {
    run() {
      process.stderr.write(`${error.message}\n`)
      process.exitCode = 2
      return Promise.resolve()
    }
  }
}

async function perform(
  config: QueueProgramConfig,
  work: Work,
  egress: LazyEgress,
  output: Output,
  signal: AbortSignal
): Promise<ExitCode> {
  const services = await findServices(config.services)
  const pool = createPostgresPool({ connectionString: services.dbConnection, ...config.db })
  const sqs = createSqsClient({ ...services.aws, maxSockets: 4, transport: config.queue.transport })
  let opening: Promise<AdminQueues> | null = null
  const queues = (): Promise<AdminQueues> => {
    opening ??= openQueues(config, sqs, output)
    return opening
  }
  const schemas = createPostgresSchemaRegistry({
    connectionString: services.dbConnection,
    ...config.db
  })
  const context: AdminContext = {
    records: createPostgresRecords(pool),
    clients: createPostgresClients(pool),
    clientLimits: createPostgresClientLimits(pool),
    eventTypes: createPostgresEventTypes(pool),
    schemas,
    endpoints: createPostgresEndpoints(pool),
    deliveries: createPostgresDeliveryRecords(pool),
    queues,
    egress: () => egress.open(),
    output,
    clock,
    signal
  }
  try {
    return await work(context)
  } finally {
    sqs.destroy()
    await pool.end()
    await schemas.close()
    await services.stop()
  }
}

async function openQueues(
  { queue: config }: QueueProgramConfig,
  sqs: ReturnType<typeof createSqsClient>,
  output: Output
): Promise<AdminQueues> {
  const { queueUrl, deadLetterQueueUrl, notes } = await openQueue(sqs, config)
  for (const note of notes) output.remark(note)
  const queueAt = (url: string) =>
    createSqsQueue({ sqs, queueUrl: url, pollers: 1, clock, ...config })
  return {
    queueName: config.queueName,
    queue: queueAt(queueUrl),
    writer: createSqsWriter({ sqs, queueUrl }),
    deadLetters:
      deadLetterQueueUrl === null
        ? null
        : { name: nameInUrl(deadLetterQueueUrl), queue: queueAt(deadLetterQueueUrl) }
  }
}

/** It may be another than the configured one, where the queue has had its own. */
const nameInUrl = (url: string): string => url.slice(url.lastIndexOf('/') + 1)

/**
 * Failures of queue, database and network in one line; anything else is a bug and keeps
 * its stack.
 */
function explained(error: unknown): unknown {
  if (error instanceof QueueError)
    return new ExpectedError(`The queue cannot be asked: ${error.message} (${error.code})`)
  if (!(error instanceof StoreError)) return error
  // 42703 and 42P01: columns and tables of a later version than the database's.
  const remedy =
    error.code === '42703' || error.code === '42P01'
      ? '. Bring its tables up to date: node dist/cmd/migrate'
      : ''
  return new ExpectedError(
    `The database cannot be asked: ${error.message || error.code} (${error.code})${remedy}`
  )
}
