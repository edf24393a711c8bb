/**
 * The built admin program, with one processor, emulator and database per test file. The
 * tables and the dead-letter queue are emptied before each test.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { PurgeQueueCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import file, { type Test } from 'tap'
import type { ThreadCommand } from './admin-thread.js'
import { createTestDatabase } from './database.js'
import {
  type Processor,
  type Program,
  queueUrlOf,
  sendBodies,
  serviceEnvironment,
  startProcessor,
  startProgram
} from './programs.js'
import { startTestSqs, type TestSqs } from './sqs.js'
import { startStubHttp } from './stub-http.js'
import { until } from './until.js'

/** A command that has ended. */
export interface Run {
  readonly code: number | string
  /** Standard output alone. */
  readonly results: string
  readonly output: string
  readonly json: unknown
}

/** A command that may still run. */
export interface Running {
  readonly program: Program
  readonly results: () => string
}

type Environment = Readonly<Record<string, string>>

/** The body of a valid event, with a test's own fields over it. */
export const event = (over: object): string =>
  JSON.stringify({ event_type: 'user-app', client_id: 'client-1', message: 'a text', ...over })

/** Whole programs are slow on a busy machine. */
export const LIMIT_MS = 60_000

export function startAdmin(t: Test, env: Environment, args: readonly string[]): Running {
  const program = startProgram(t, 'admin', env, args)
  let results = ''
  program.child.stdout?.on('data', chunk => (results += String(chunk)))
  return { program, results: () => results }
}

/** Runs the program itself to its end. */
export async function runAdminProgram(
  t: Test,
  env: Environment,
  args: readonly string[]
): Promise<Run> {
  const { program, results } = startAdmin(t, env, args)
  return endedRun(await program.exited, results(), program.output)
}

const endedRun = (code: number | string, results: string, output: string): Run => ({
  code,
  results,
  output,
  get json() {
    return JSON.parse(results) as unknown
  }
})

/**
 * Runs a command to its end as the program does, but in a thread, which is ten times
 * faster.
 */
export async function runAdmin(env: Environment, args: readonly string[]): Promise<Run> {
  const thread = idleThreads.pop() ?? new AdminThread()
  const run = await thread.run({ env: { LOG_FORMAT: 'json', ...env }, args })
  idleThreads.push(thread)
  return run
}

const idleThreads: AdminThread[] = []

class AdminThread {
  readonly #worker: Worker
  #results = ''
  #output = ''

  constructor() {
    const script = new URL('../../../dist/internal/lab/testing/admin-thread.js', import.meta.url)
    // None of the test runner's settings: this runs the built program.
    const { PATH = '', HOME = '' } = process.env
    this.#worker = new Worker(script, {
      env: { PATH, HOME },
      execArgv: [],
      stdout: true,
      stderr: true
    })
    file.teardown(() => this.#worker.terminate())
    this.#worker.stdout.on('data', chunk => {
      this.#results += String(chunk)
      this.#output += String(chunk)
    })
    this.#worker.stderr.on('data', chunk => (this.#output += String(chunk)))
  }

  async run(command: ThreadCommand): Promise<Run> {
    this.#results = this.#output = ''
    this.#worker.postMessage(command)
    const [code] = (await once(this.#worker, 'message')) as [number]
    return endedRun(code, this.#results, this.#output)
  }
}

export class AdminBench {
  readonly emulator: TestSqs
  readonly env: Environment
  readonly processor: Processor
  readonly sql: (
    statement: string,
    values?: unknown[]
  ) => Promise<readonly Record<string, unknown>[]>
  /** Runs a statement whose locks stay until they are released. */
  readonly lock: (statement: string) => Promise<{ readonly release: () => Promise<void> }>

  constructor(
    emulator: TestSqs,
    env: Environment,
    processor: Processor,
    database: Pick<AdminBench, 'sql' | 'lock'>
  ) {
    this.emulator = emulator
    this.env = env
    this.processor = processor
    this.sql = database.sql
    this.lock = database.lock
  }

  /** Counts the rows of a FROM clause. */
  async count(from: string): Promise<number> {
    return Number((await this.sql(`SELECT count(*) AS n FROM ${from}`))[0]?.['n'])
  }

  /** The ids of all stored events, in order. */
  async messageIds(): Promise<string[]> {
    return (await this.sql('SELECT message_id AS id FROM message ORDER BY 1')).map(({ id }) =>
      String(id)
    )
  }

  /** How many messages a queue holds, visible or not. */
  depth(queue: 'events' | 'events-dead-letters' = 'events'): number {
    const { ready = [], inflight = [] } = this.emulator.server.inspectQueue(queue)?.messages ?? {}
    return ready.length + inflight.length
  }

  /** Waits until the processor has settled every message in the queue. */
  untilDecided(): Promise<void> {
    return until('the processor has decided all', () => this.depth() === 0, LIMIT_MS)
  }

  /**
   * Gets this many events of an unknown client refused, every other one without an id.
   * Resolves with the ids that their rows of `message` must have later.
   */
  async refuseUnknown(client: string, events: number): Promise<string[]> {
    const idOf = (n: number): object => (n % 2 === 0 ? { event_id: `e-${n}` } : {})
    await sendBodies(
      this.emulator,
      Array.from({ length: events }, (_, n) =>
        event({ client_id: client, message: { n }, ...idOf(n) })
      )
    )
    await this.untilDecided()
    return (
      await this.sql('SELECT message_id AS id FROM rejection WHERE client_name = $1 ORDER BY 1', [
        client
      ])
    ).map(({ id }) => String(id))
  }

  /** Puts bodies into the dead-letter queue. Resolves with their queue message ids. */
  async bury(bodies: readonly string[]): Promise<string[]> {
    const ids: string[] = []
    for (let at = 0; at < bodies.length; at += 10) {
      const entries = bodies
        .slice(at, at + 10)
        .map((body, index) => ({ Id: String(index), MessageBody: body }))
      const queueUrl = queueUrlOf(this.emulator.server, 'events-dead-letters')
      const { Successful: sent = [] } = await this.emulator.sqs.send(
        new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries })
      )
      ids.push(...sent.map(({ MessageId: id = '' }) => id))
    }
    return ids
  }
}

export async function createAdminBench(t: Test): Promise<AdminBench> {
  const { connectionString, pool } = await createTestDatabase(t)
  const emulator = await startTestSqs(t)
  const env = { ...serviceEnvironment(connectionString, emulator), VISIBILITY_TIMEOUT_S: '2' }
  const processor = await startProcessor(t, env)
  t.beforeEach(async () => {
    await pool.query(
      `TRUNCATE message, rejection; DELETE FROM client WHERE name NOT LIKE 'client-_'`
    )
    await emulator.sqs.send(
      new PurgeQueueCommand({ QueueUrl: queueUrlOf(emulator.server, 'events-dead-letters') })
    )
  })
  const sql: AdminBench['sql'] = async (statement, values) =>
    (await pool.query<Record<string, unknown>>(statement, values)).rows
  const lock: AdminBench['lock'] = async statement => {
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query(statement)
    return {
      async release() {
        await client.query('COMMIT')
        client.release()
      }
    }
  }
  return new AdminBench(emulator, env, processor, { sql, lock })
}

/** The point in a program's calls to the queue at which it is killed. */
export interface Place {
  /** The operation, such as `SendMessageBatch`, and which one of them. */
  readonly call: string
  readonly nth: number
  /** Whether the call still reaches the queue; its answer is always lost. */
  readonly isHeard: boolean
}

const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.0' }

/** Runs a command behind a proxy up to that point and kills it there with SIGKILL. */
export async function killAdminAt(
  t: Test,
  { emulator, env }: AdminBench,
  { call, nth, isHeard }: Place,
  args: readonly string[]
): Promise<void> {
  let calls = 0
  let atPlace: () => void = () => undefined
  const reached = new Promise<'reached'>(resolve => {
    atPlace = () => resolve('reached')
  })
  const proxy = await startStubHttp(t, (reply, { path, headers, body }) => {
    const target = String(headers['x-amz-target'])
    const isPlace = target.endsWith(`.${call}`) && ++calls === nth
    const pass = async (): Promise<void> => {
      if (!isPlace || isHeard) {
        const sent = {
          ...JSON_TYPE,
          'x-amz-target': target,
          authorization: String(headers.authorization)
        }
        const answer = await fetch(emulator.endpoint + path, {
          method: 'POST',
          headers: sent,
          body
        })
        const text = await answer.text()
        if (!isPlace) reply.writeHead(answer.status, JSON_TYPE).end(text)
      }
      if (isPlace) atPlace()
    }
    void pass()
  })
  const { program } = startAdmin(t, { ...env, AWS_ENDPOINT: proxy.origin }, args)
  const end = await Promise.race([reached, program.exited])
  if (end !== 'reached')
    throw new Error(`it ended by itself (${String(end)}) before that point: ${program.output}`)
  await program.end('SIGKILL')
}
