/**
 * `npm start`: the whole thing on one machine — embedded services unless others are
 * configured, processor, fake producers, beside embedded services also the sender and a
 * recipient of its deliveries, and a live line of what happens.
 *
 * The children run in process groups of their own, so that Ctrl-C reaches only this
 * process and the order of the end is ours: producers, the processor once the queue is
 * empty, the sender once all is delivered, the services. An IPC channel ends them too if
 * this process is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { clearLine, cursorTo } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../../engine/config/environment.js'
import { ExpectedError, type Service } from '../../engine/lifecycle/service.js'
import { createPostgresPool } from '../../engine/postgres/pool.js'
import { openKeyRing } from '../../systems/events/app/key-ring.js'
import { openServices, type Services } from '../../systems/events/app/services.js'
import {
  type ProcessorConfig,
  readProcessorConfig,
  readSenderConfig
} from '../../systems/events/config/config.js'
import { createPostgresEndpoints } from '../../systems/events/delivery/store/postgres-endpoints.js'
import { prepareDemoRecipient } from './demo-recipient.js'
import { progressLine, type Reading, readDelivered, readTotals } from './progress.js'

const REFRESH_MS = 1_000
const LINE_EVERY_MS = 5_000
const READY_WITHIN_MS = 60_000
/** How long processor and sender may go on with what is left. */
const EMPTY_WITHIN_MS = 10_000
/** Workers report each second. */
const STILL_MS = 1_200

export function createStack(env: Environment): Service {
  const config = readProcessorConfig(env)
  return { run: signal => run(config, env, signal) }
}

async function run(config: ProcessorConfig, env: Environment, signal: AbortSignal): Promise<void> {
  const logDir = join(
    config.services.kind === 'embedded' ? config.services.embedded.dataDir : '.data',
    'logs'
  )
  mkdirSync(logDir, { recursive: true })
  const services = await openServices(config.services, say)
  const children: Program[] = []
  const output = new LiveLine(process.stdout)
  try {
    const port = await choosePort('METRICS_PORT', config.metrics.port, env)
    const origin = `http://127.0.0.1:${port}`
    const processor = startProgram('processor', logDir, { ...env, METRICS_PORT: String(port) })
    children.push(processor)
    await waitUntilReady(`${origin}/readyz`, processor, signal)
    const delivering =
      config.services.kind === 'embedded' && !signal.aborted
        ? await startDelivering(config, services, env, logDir, children)
        : null
    const producers = startProgram('producers', logDir, env)
    children.push(producers)
    say(introduction(origin, delivering?.origin ?? null, services.dbConnection, logDir, children))
    const read = (): Promise<Reading | null> => readMetrics(origin, delivering?.origin ?? null)
    await watch(read, output, children, signal)
    output.end(
      'Stopping: producers, then what is still in the queue, then what is still to be delivered, then the rest …'
    )
    await producers.stop()
    await untilStill(read, ({ received }) => received)
    await untilStill(read, ({ delivered }) => delivered)
    const last = await read()
    await delivering?.stop()
    await processor.stop()
    if (last !== null)
      say(
        `Stopped. ${progressLine(last, last, 0).replace(/ · 0\/s$/, '')}. The rows stay for the next start.`
      )
  } finally {
    for (const child of children.reverse()) await child.stop()
    await services.stop()
  }
}

interface Delivering {
  /** Of the sender's /metrics. */
  readonly origin: string
  stop(): Promise<void>
}

const RECEIVER_PORT = 8_088

/** The sender, and a receiver that each client has an endpoint for. */
async function startDelivering(
  { services: { kind }, db }: ProcessorConfig,
  services: Services,
  env: Environment,
  logDir: string,
  children: Program[]
): Promise<Delivering | null> {
  const config = readSenderConfig(env)
  if (kind !== 'embedded' || config.services.kind !== 'embedded') return null
  const port = await choosePort('SENDER_METRICS_PORT', config.metrics.port, env)
  const receiverPort = await freePortLike(RECEIVER_PORT)
  const pool = createPostgresPool({ connectionString: services.dbConnection, ...db })
  const secrets = await prepareDemoRecipient({
    endpoints: createPostgresEndpoints(pool),
    keys: openKeyRing(config),
    dataDir: config.services.embedded.dataDir,
    origin: `http://127.0.0.1:${receiverPort}`
  }).finally(() => pool.end())
  const receiver = startProgram('receiver', logDir, env, [
    '--port',
    String(receiverPort),
    '--secrets',
    secrets
  ])
  const sender = startProgram('sender', logDir, { ...env, SENDER_METRICS_PORT: String(port) })
  children.push(receiver, sender)
  return {
    origin: `http://127.0.0.1:${port}`,
    async stop() {
      await sender.stop()
      await receiver.stop()
    }
  }
}

class Program {
  readonly name: string
  readonly #child: ChildProcess
  readonly pid: number
  readonly exited: Promise<string>
  isRunning = true

  constructor(name: string, child: ChildProcess) {
    this.name = name
    this.#child = child
    this.pid = child.pid ?? 0
    this.exited = new Promise(resolve => {
      child.once('exit', (code, signal) => {
        this.isRunning = false
        resolve(signal ?? `exit code ${code}`)
      })
    })
  }

  async stop(): Promise<void> {
    if (this.isRunning) this.#child.kill('SIGTERM')
    await this.exited
  }
}

function startProgram(
  name: string,
  logDir: string,
  env: Environment,
  args: readonly string[] = []
): Program {
  const log = createWriteStream(join(logDir, `${name}.log`), { flags: 'w' })
  const entry = fileURLToPath(new URL(`../../../cmd/${name}/index.js`, import.meta.url))
  const child = spawn(process.execPath, [entry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
    env: { ...env }
  })
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  return new Program(name, child)
}

/** The configured port; when nobody chose it and it is taken, a free one, and says so. */
async function choosePort(
  setting: 'METRICS_PORT' | 'SENDER_METRICS_PORT',
  wanted: number,
  env: Environment
): Promise<number> {
  const port = await freePortLike(wanted)
  if (port === wanted || wanted === 0) return port
  if (env[setting])
    throw new ExpectedError(
      `Port ${wanted} is taken by another program: set ${setting} to another one`
    )
  say(`Port ${wanted} is taken; /metrics is on ${port} instead (${setting} changes it).`)
  return port
}

async function freePortLike(wanted: number): Promise<number> {
  const { findFreePort, isPortFree } = await import('../../engine/embedded/port.js')
  return wanted !== 0 && (await isPortFree(wanted)) ? wanted : findFreePort()
}

async function waitUntilReady(url: string, processor: Program, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS
  while (!signal.aborted) {
    if (!processor.isRunning)
      throw new ExpectedError(
        `The processor ended (${await processor.exited}); see logs/processor.log in DATA_DIR`
      )
    const answer = await fetchText(url)
    if (answer?.ok === true) return
    if (performance.now() > deadline)
      throw new ExpectedError(`The processor is not ready: ${answer?.text.trim() ?? 'no answer'}`)
    await pause(200, signal)
  }
}

async function watch(
  read: () => Promise<Reading | null>,
  output: LiveLine,
  children: readonly Program[],
  signal: AbortSignal
): Promise<void> {
  let before: Reading | null = null
  let beforeMs = performance.now()
  const everyMs = output.isLive ? REFRESH_MS : LINE_EVERY_MS
  while (!signal.aborted) {
    await pause(before === null ? REFRESH_MS : everyMs, signal)
    const dead = children.find(child => !child.isRunning)
    if (dead !== undefined)
      throw new ExpectedError(
        `${dead.name} ended (${await dead.exited}); see logs/${dead.name}.log in DATA_DIR`
      )
    const now = await read()
    if (now === null) continue
    const nowMs = performance.now()
    output.show(progressLine(now, before ?? now, (nowMs - beforeMs) / 1_000))
    before = now
    beforeMs = nowMs
  }
}

/** Waits until this sum stands still. */
async function untilStill(
  read: () => Promise<Reading | null>,
  sumOf: (reading: Reading) => number
): Promise<void> {
  const deadline = performance.now() + EMPTY_WITHIN_MS
  let last = -1
  while (performance.now() < deadline) {
    const now = await read()
    if (now === null || sumOf(now) === last) return
    last = sumOf(now)
    await pause(STILL_MS, null)
  }
}

async function readMetrics(origin: string, senderOrigin: string | null): Promise<Reading | null> {
  const answer = await fetchText(`${origin}/metrics`)
  const sender = senderOrigin === null ? null : await fetchText(`${senderOrigin}/metrics`)
  return answer?.ok === true
    ? { ...readTotals(answer.text), delivered: readDelivered(sender?.text ?? '') }
    : null
}

async function fetchText(
  url: string
): Promise<{ readonly ok: boolean; readonly text: string } | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
    return { ok: response.ok, text: await response.text() }
  } catch {
    return null
  }
}

function pause(ms: number, signal: AbortSignal | null): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/** One line that is written over on a terminal, and a line each time elsewhere. */
class LiveLine {
  readonly #stream: NodeJS.WriteStream

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  get isLive(): boolean {
    return this.#stream.isTTY
  }

  show(text: string): void {
    if (!this.isLive) {
      this.#stream.write(`${text}\n`)
      return
    }
    cursorTo(this.#stream, 0)
    this.#stream.write(text.slice(0, this.#stream.columns - 1))
    clearLine(this.#stream, 1)
  }

  end(text: string): void {
    this.#stream.write(`${this.isLive ? '\n' : ''}${text}\n`)
  }
}

function introduction(
  origin: string,
  senderOrigin: string | null,
  dbConnection: string,
  logDir: string,
  children: readonly Program[]
): string {
  return [
    '',
    'Three fake producers send events; the processor stores each exactly once. Have a look:',
    '  rows      npm run sql -- "SELECT count(*) FROM message"',
    '            npm run sql -- "SELECT reason, count(*) FROM rejection GROUP BY reason"',
    `            psql "${dbConnection}"`,
    `  metrics   ${origin}/metrics   (health: ${origin}/readyz)`,
    ...(senderOrigin === null
      ? []
      : [
          `            ${senderOrigin}/metrics   (of the sender)`,
          '  delivered the receiver checks each signature and writes a line per delivery: logs/receiver.log',
          '            node dist/cmd/admin endpoints ls'
        ]),
    `  logs      ${logDir}`,
    `  running   ${children.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')}`,
    '  stop      Ctrl-C',
    ''
  ].join('\n')
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
