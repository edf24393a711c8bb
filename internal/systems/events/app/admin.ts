/** The admin program: its help, and the services that its commands open. */
import { bindCommands, type CommandTools, type ExitCode } from '../../../engine/cli/command.js'
import type { Output } from '../../../engine/cli/output.js'
import type { Environment } from '../../../engine/config/environment.js'
import { StoreError } from '../../../engine/intake/store.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { ExpectedError } from '../../../engine/lifecycle/service.js'
import { createPostgresPool } from '../../../engine/postgres/pool.js'
import type { QueueProgramConfig } from '../../../engine/program/config.js'
import { findServices } from '../../../engine/program/services.js'
import type { SystemAdmin } from '../../../engine/program/system.js'
import { QueueError } from '../../../engine/queue/queue.js'
import { createSqsClient } from '../../../engine/queue/sqs/client.js'
import { openQueue } from '../../../engine/queue/sqs/provision.js'
import { createSqsQueue } from '../../../engine/queue/sqs/queue.js'
import { createSqsWriter } from '../../../engine/queue/sqs/writer.js'
import { ADMIN_COMMANDS } from '../admin/commands.js'
import type { AdminContext, AdminQueues, AdminWork } from '../admin/context.js'
import { readQueueProgramConfig } from '../config/config.js'
import { createPostgresDeliveryRecords } from '../delivery/store/postgres-delivery-records.js'
import { createPostgresEndpoints } from '../delivery/store/postgres-endpoints.js'
import { RECORDS_POOL } from '../store/pool-uses.js'
import { createPostgresClientLimits } from '../store/postgres-client-limits.js'
import { createPostgresClients, createPostgresEventTypes } from '../store/postgres-names.js'
import { createPostgresRecords } from '../store/postgres-records.js'
import { createPostgresSchemaRegistry } from '../store/postgres-schema-registry.js'
import { createAdminEgress, type LazyEgress } from './admin-egress.js'

export const EVENTS_ADMIN: SystemAdmin = {
  introduction:
    'Clients, event types, schemas, rejections, dead letters, endpoints, deliveries and single ' +
    'events, for people. Settings are those of the processor and the sender (.env-template).',
  commands: env => bindCommands(ADMIN_COMMANDS, (work, tools) => runWork(env, work, tools))
}

/** Opens what a command needs, runs it, and closes everything again. */
async function runWork(env: Environment, work: AdminWork, tools: CommandTools): Promise<ExitCode> {
  const config = readQueueProgramConfig(env)
  const egress = createAdminEgress(env)
  try {
    return await perform(config, work, egress, tools).catch((error: unknown) => {
      throw explained(error)
    })
  } finally {
    await egress.close()
  }
}

async function perform(
  config: QueueProgramConfig,
  work: AdminWork,
  egress: LazyEgress,
  tools: CommandTools
): Promise<ExitCode> {
  const services = await findServices(config.services)
  const pool = createPostgresPool(
    { connectionString: services.dbConnection, ...config.db },
    RECORDS_POOL
  )
  const sqs = createSqsClient({ ...services.aws, maxSockets: 4, transport: config.queue.transport })
  let opening: Promise<AdminQueues> | null = null
  const queues = (): Promise<AdminQueues> => {
    opening ??= openQueues(config, sqs, tools.output)
    return opening
  }
  const context: AdminContext = {
    records: createPostgresRecords(pool),
    clients: createPostgresClients(pool),
    clientLimits: createPostgresClientLimits(pool),
    eventTypes: createPostgresEventTypes(pool),
    schemas: createPostgresSchemaRegistry(pool),
    endpoints: createPostgresEndpoints(pool),
    deliveries: createPostgresDeliveryRecords(pool),
    queues,
    egress: () => egress.open(),
    clock,
    ...tools
  }
  try {
    return await work(context)
  } finally {
    sqs.destroy()
    await pool.end()
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
    deadLetters: deadLetterQueueUrl === null ? null : queueAt(deadLetterQueueUrl)
  }
}

/**
 * Reports a failure of the queue, database or network in one line; anything else is a bug
 * and keeps its stack.
 */
function explained(error: unknown): unknown {
  if (error instanceof QueueError)
    return new ExpectedError(`The queue request failed: ${error.message} (${error.code})`)
  if (!(error instanceof StoreError)) return error
  // 42703 and 42P01: the database lacks columns or tables of a later version.
  const remedy =
    error.code === '42703' || error.code === '42P01'
      ? '. Bring its tables up to date: node dist/cmd/migrate'
      : ''
  return new ExpectedError(
    `The database query failed: ${error.message || error.code} (${error.code})${remedy}`
  )
}
