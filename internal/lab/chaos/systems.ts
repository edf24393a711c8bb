/**
 * Starts and connects everything for a chaos run. PostgreSQL and the queue run in
 * separate processes, each behind a proxy, and the processor uses both proxies. Producers
 * send directly to the queue. The sender has its own database proxy, and the recipient is
 * behind a proxy too.
 *
 * Errors  rejects when something does not start, after ending what had started.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../engine/cli/random.js'
import type { Environment } from '../../engine/config/environment.js'
import { startEmbeddedSqs } from '../../engine/embedded/sqs.js'
import { systemClock as clock } from '../../engine/lifecycle/clock.js'
import { createSqsClient } from '../../engine/queue/sqs/client.js'
import { openQueue } from '../../engine/queue/sqs/provision.js'
import { createSqsQueue } from '../../engine/queue/sqs/queue.js'
import { type AwsConfig, EMBEDDED_AWS } from '../../engine/queue/sqs/settings.js'
import { createSqsWriter } from '../../engine/queue/sqs/writer.js'
import { openLedger } from '../../systems/events/producer/ledger.js'
import type { Depths } from '../../systems/events/verify/report.js'
import { type Bursts, startBursts } from './bursts.js'
import { ClusterProgram } from './cluster-program.js'
import { ChaosDatabase, startPostgres } from './database.js'
import { type DatabaseProxy, startDatabaseProxy } from './database-proxy.js'
import { DeleteCheck, FIND_MISSING, type Whereabouts } from './delete-check.js'
import { registerEndpoints } from './endpoints.js'
import type { Systems } from './inject.js'
import type { DeliverySystems } from './inject-delivery.js'
import { type SeenMessage, startQueueProxy } from './queue-proxy.js'
import { Recipient } from './recipient.js'
import { startRecipientProxy } from './recipient-proxy.js'
import {
  MAX_RECEIVE_COUNT,
  processorEnvironment,
  senderEnvironment,
  VISIBILITY_TIMEOUT_S
} from './settings.js'

export interface SystemsOptions {
  readonly directory: string
  readonly env: Environment
  readonly seed: string
  readonly events: number
  readonly workers: number
  readonly random: Random
  readonly signal: AbortSignal
  readonly onWrong: (text: string) => void
  readonly onNoted: (what: string) => void
}

/** What has passed through the queue's proxy. */
export interface Traffic {
  received: number
  redelivered: number
  mostReceives: number
}

export interface ChaosSystems extends Systems, DeliverySystems {
  readonly bursts: Bursts
  readonly deletes: DeleteCheck
  readonly traffic: Traffic
  readonly ledgerFile: string
  depths(): Promise<Depths>
  /** Ends everything; the files are kept. */
  close(): Promise<void>
}

const QUEUE_NAME = 'chaos'
const DAY_S = 86_400
const MAX_SOCKETS = 16
const FRACTIONS = 1_000_000
const KEY_BYTES = 32
const FILES = [
  'postgres',
  'postgres.log',
  'ledger.ndjson',
  'processor.log',
  'sender.log',
  'recipient.ndjson',
  'recipient-secrets.json'
] as const

export async function startSystems(options: SystemsOptions): Promise<ChaosSystems> {
  const { directory, signal, seed, events, workers, env, onWrong, onNoted } = options
  const closers: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    await removeRemains(directory)
    const random = (): number => options.random.below(FRACTIONS) / FRACTIONS
    const databaseProxy = await startDatabaseProxy(random)
    closers.push(() => databaseProxy.close())
    const senderDatabaseProxy = await startDatabaseProxy(random)
    closers.push(() => senderDatabaseProxy.close())
    const database = await ChaosDatabase.start({
      directory,
      onPort: port => {
        databaseProxy.target = port
        senderDatabaseProxy.target = port
      }
    })
    closers.push(() => database.close())
    const emulator = await startEmbeddedSqs({ port: 0 })
    closers.push(() => emulator.stop())

    const deletes = new DeleteCheck({
      findMissing: messages =>
        database.query<Pick<Whereabouts, 'queueMessageId'>>(FIND_MISSING, columnsOf(messages)),
      onMissing: ids =>
        onWrong(
          `${ids.length} messages deleted before their rows were visible, such as ${ids[0] ?? ''}`
        )
    })
    const traffic: Traffic = { received: 0, redelivered: 0, mostReceives: 0 }
    const queueProxy = await startQueueProxy({
      target: emulator.endpoint,
      random,
      onReceived: messages => {
        deletes.received(messages)
        countReceives(messages, traffic)
      },
      beforeDelete: handles => deletes.deleting(handles)
    })
    closers.push(() => queueProxy.close())

    const aws: AwsConfig = { ...EMBEDDED_AWS, endpoint: emulator.endpoint }
    const sqs = createSqsClient({ ...aws, maxSockets: MAX_SOCKETS })
    closers.push(() => sqs.destroy())
    const { queueUrl, deadLetterQueueUrl } = await openQueue(sqs, {
      queueName: QUEUE_NAME,
      deadLetterQueueName: `${QUEUE_NAME}-dead-letters`,
      maxReceiveCount: MAX_RECEIVE_COUNT,
      retentionS: DAY_S,
      deadLetterRetentionS: 14 * DAY_S,
      visibilityTimeoutS: VISIBILITY_TIMEOUT_S
    })
    const depthOf = async (url: string): Promise<number> => {
      const queue = createSqsQueue({
        sqs,
        queueUrl: url,
        pollers: 1,
        visibilityTimeoutS: VISIBILITY_TIMEOUT_S,
        waitTimeS: 0,
        clock
      })
      const { visible, inFlight, delayed } = await queue.inspect.depth()
      return visible + inFlight + delayed
    }

    const ledgerFile = join(directory, 'ledger.ndjson')
    const ledger = await openLedger(ledgerFile, clock)
    closers.push(() => ledger.close())
    const bursts = startBursts({
      queue: createSqsWriter({ sqs, queueUrl }),
      ledger,
      seed,
      events,
      signal
    })
    const through = (proxy: DatabaseProxy): string => {
      const url = new URL(database.connectionString)
      url.port = String(proxy.port)
      return url.href
    }
    const places = {
      sqsEndpoint: queueProxy.endpoint,
      dbConnection: through(databaseProxy),
      queueName: QUEUE_NAME,
      workers
    }
    const processor = new ClusterProgram({
      name: 'processor',
      directory,
      environment: processorEnvironment(env, places),
      onWrong
    })
    closers.push(() => processor.close())

    const recipientProxy = await startRecipientProxy(random)
    closers.push(() => recipientProxy.close())
    const secretKeys = `chaos:${randomBytes(KEY_BYTES).toString('base64')}`
    const secrets = await registerEndpoints(
      database.connectionString,
      secretKeys,
      recipientProxy.origin
    )
    const recipient = await Recipient.start({ directory, env, secrets, onWrong })
    closers.push(() => recipient.close())
    recipientProxy.targetPort = recipient.port
    const environment = senderEnvironment(env, through(senderDatabaseProxy), QUEUE_NAME, secretKeys)
    const sender = new ClusterProgram({ name: 'sender', directory, environment, onWrong })
    closers.push(() => sender.close())
    return {
      database,
      databaseProxy,
      senderDatabaseProxy,
      queueProxy,
      recipientProxy,
      processor,
      sender,
      recipient,
      bursts,
      deletes,
      traffic,
      ledgerFile,
      onWrong,
      onNoted,
      async depths() {
        const queue = await depthOf(queueUrl)
        return {
          queue,
          deadLetters: deadLetterQueueUrl === null ? 0 : await depthOf(deadLetterQueueUrl)
        }
      },
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** A killed run may have left its database server running, in any state. */
async function removeRemains(directory: string): Promise<void> {
  if (existsSync(join(directory, 'postgres'))) await (await startPostgres(directory)).stop()
  removeFiles(directory)
  mkdirSync(directory, { recursive: true })
}

export function removeFiles(directory: string): void {
  for (const name of FILES) rmSync(join(directory, name), { recursive: true, force: true })
}

function columnsOf(messages: readonly Whereabouts[]): readonly unknown[] {
  return [
    messages.map(one => one.queueMessageId),
    messages.map(one => one.clientId),
    messages.map(one => one.messageId)
  ]
}

function countReceives(messages: readonly SeenMessage[], traffic: Traffic): void {
  for (const { Attributes } of messages) {
    const receives = Number(Attributes?.ApproximateReceiveCount ?? 1)
    traffic.received += 1
    if (receives > 1) traffic.redelivered += 1
    traffic.mostReceives = Math.max(traffic.mostReceives, receives)
  }
}
