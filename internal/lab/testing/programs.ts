/**
 * Starts the built programs as a user would, on the test's own services, and observes
 * them from outside.
 *
 * Errors  if a program ends during a wait, the wait fails with its output.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { readSamples, seriesOf } from '../../engine/observe/prometheus-text.js'
import { BuiltProgram, type ProgramSpec } from '../programs/built-program.js'
import type { TestSqs } from './sqs.js'
import { TEST_CREDENTIALS, TEST_REGION, TEST_TRANSPORT } from './sqs.js'
import { until } from './until.js'

interface Teardown {
  teardown(fn: () => unknown): void
}

export type ProgramName =
  | 'processor'
  | 'sender'
  | 'recipient'
  | 'producers'
  | 'verify'
  | 'migrate'
  | 'stack'
  | 'sql'
  | 'admin'
  | 'chaos'
  | 'soak'

const PREFIX = 'event_process_'
/** Whole programs are slow on a busy machine. */
const PROGRAM_LIMIT_MS = 60_000

/** A running program with what it has printed so far. */
export class Program {
  readonly child: ChildProcess
  /** Its end, after everything that it started has ended too. */
  readonly exited: Promise<number | string>
  output = ''
  readonly #program: BuiltProgram

  constructor(program: BuiltProgram) {
    this.#program = program
    this.child = program.child
    this.exited = program.closed
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', chunk => (this.output += String(chunk)))
  }

  /** The lines of its log that are JSON. */
  get log(): readonly Record<string, unknown>[] {
    return this.output
      .split('\n')
      .filter(line => line.startsWith('{') && line.endsWith('}'))
      .map(line => JSON.parse(line) as Record<string, unknown>)
  }

  async until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
    const look = async (): Promise<boolean> => {
      if (!this.#program.isRunning)
        throw new Error(`the program ended (${String(await this.exited)}) before: ${what}`)
      return isTrue()
    }
    await until(what, look, PROGRAM_LIMIT_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.output.slice(-4_000)}`)
    })
  }

  /** Sends a signal, unless it has ended, and waits for the end. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    this.#program.signal(signal)
    return this.exited
  }
}

/**
 * An empty directory, removed after the test. Programs use it as their working directory,
 * so that they do not read this checkout's .env.
 */
export function temporaryDirectory(t: Teardown): string {
  const path = mkdtempSync(join(tmpdir(), 'event-process-test-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export function startProgram(
  t: Teardown,
  name: ProgramName,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = []
): Program {
  return startEntry(t, { name, env, args })
}

/** The same for a file outside cmd. */
export function startEntry(t: Teardown, spec: Omit<ProgramSpec, 'directory'>): Program {
  const { PATH = '', HOME = '' } = process.env
  const directory = temporaryDirectory(t)
  const built = new BuiltProgram({ ...spec, directory, env: { PATH, HOME, ...spec.env } })
  const program = new Program(built)
  t.teardown(() => program.end('SIGKILL'))
  return program
}

/** The environment of programs that use the test's database and queue. */
export function serviceEnvironment(
  connectionString: string,
  { endpoint }: Pick<TestSqs, 'endpoint'>
): Record<string, string> {
  return {
    DB_CONNECTION: connectionString,
    // The test's server trades safety for speed.
    DB_ALLOW_UNSAFE_DURABILITY: 'yes',
    QUEUE_NAME: 'events',
    AWS_ENDPOINT: endpoint,
    AWS_REGION: TEST_REGION,
    AWS_ACCESS_KEY_ID: TEST_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: TEST_CREDENTIALS.secretAccessKey,
    SQS_TRANSPORT: TEST_TRANSPORT,
    METRICS_PORT: '0',
    WORKERS: '1',
    WAIT_TIME_S: '1'
  }
}

/** A processor that is ready and whose metrics address is known. */
export class Processor {
  readonly program: Program
  readonly origin: string

  constructor(program: Program, origin: string) {
    this.program = program
    this.origin = origin
  }

  /** The metrics by series, without their common prefix. */
  async metrics(): Promise<Map<string, number>> {
    const samples = readSamples(await (await fetch(`${this.origin}/metrics`)).text())
    return new Map(
      samples
        .filter(({ name }) => name.startsWith(PREFIX))
        .map(sample => [seriesOf(sample).slice(PREFIX.length), sample.value])
    )
  }

  get workerPids(): readonly number[] {
    return this.program.log
      .filter(line => line['msg'] === 'worker started')
      .map(line => Number(line['worker']))
  }
}

export async function startProcessor(
  t: Teardown,
  env: Readonly<Record<string, string>>
): Promise<Processor> {
  const program = startProgram(t, 'processor', env)
  let url = ''
  await program.until('it listens', () => {
    const metrics = program.log.find(line => line['msg'] === 'listening')?.['metrics']
    if (typeof metrics === 'string') url = metrics
    return url !== ''
  })
  const origin = new URL(url).origin
  await program.until('it is ready', async () => (await fetch(`${origin}/readyz`)).ok)
  return new Processor(program, origin)
}

/** Sends bodies to the queue `events`, ten at a time. */
export async function sendBodies(
  { sqs, server }: TestSqs,
  bodies: readonly string[]
): Promise<void> {
  const queueUrl = queueUrlOf(server, 'events')
  for (let at = 0; at < bodies.length; at += 10) {
    const entries = bodies
      .slice(at, at + 10)
      .map((body, index) => ({ Id: String(index), MessageBody: body }))
    const { Failed = [] } = await sqs.send(
      new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries })
    )
    if (Failed.length > 0) throw new Error(`not accepted: ${JSON.stringify(Failed)}`)
  }
}

/** The emulator builds queue URLs from its own host, so ask it. */
export function queueUrlOf(server: TestSqs['server'], name: string): string {
  const queue = server.inspectQueue(name)
  if (queue === undefined) throw new Error(`no queue ${name}`)
  return queue.url
}
