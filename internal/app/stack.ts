/**
 * `npm start`: the whole thing on one machine — embedded services unless others are configured, processor, fake producers, and a live
 * line of what happens.
 *
 * The children run in process groups of their own, so that Ctrl-C reaches only this process and the order of the end is ours:
 * producers, then the processor once the queue is empty, then the services. An IPC channel ends them too if this process is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { clearLine, cursorTo } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type ProcessorConfig, readProcessorConfig } from '../config/config.js'
import type { Environment } from '../config/environment.js'
import { ExpectedError, type Service } from '../lifecycle/service.js'
import { progressLine, type Reading, readTotals } from './progress.js'
import { openServices } from './services.js'

const REFRESH_MS = 1_000
const LINE_EVERY_MS = 5_000
const READY_WITHIN_MS = 60_000
/** How long the processor may go on with what the producers left in the queue. */
const EMPTY_WITHIN_MS = 10_000

export function createStack(env: Environment): Service {
  const config = readProcessorConfig(env)
  return { run: signal => run(config, env, signal) }
}

async function run(config: ProcessorConfig, env: Environment, signal: AbortSignal): Promise<void> {
  const logDir = join(config.services.kind === 'embedded' ? config.services.embedded.dataDir : '.data', 'logs')
  mkdirSync(logDir, { recursive: true })
  const services = await openServices(config.services, say)
  const children: Program[] = []
  const output = new LiveLine(process.stdout)
  try {
    const port = await choosePort(config, env)
    const origin = `http://127.0.0.1:${port}`
    const processor = startProgram('processor', logDir, { ...env, METRICS_PORT: String(port) })
    children.push(processor)
    await waitUntilReady(`${origin}/readyz`, processor, signal)
    const producers = startProgram('producers', logDir, env)
    children.push(producers)
    say(introduction(origin, services.dbConnection, logDir, children))
    await watch(`${origin}/metrics`, output, children, signal)
    output.end('Stopping: producers, then what is still in the queue, then the rest …')
    await producers.stop()
    await untilEmpty(`${origin}/metrics`)
    const last = await readMetrics(`${origin}/metrics`)
    await processor.stop()
    if (last !== null) say(`Stopped. ${progressLine(last, last, 0).replace(/ · 0\/s$/, '')}. The rows stay for the next start.`)
  } finally {
    for (const child of children.reverse()) await child.stop()
    await services.stop()
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

function startProgram(name: string, logDir: string, env: Environment): Program {
  const log = createWriteStream(join(logDir, `${name}.log`), { flags: 'w' })
  const entry = fileURLToPath(new URL(`../../cmd/${name}/index.js`, import.meta.url))
  const child = spawn(process.execPath, [entry], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true, env: { ...env } })
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  return new Program(name, child)
}

/** The configured port; when nobody chose it and it is taken, a free one, and says so. */
async function choosePort({ metrics }: ProcessorConfig, env: Environment): Promise<number> {
  const { findFreePort, isPortFree } = await import('../embedded/port.js')
  if (metrics.port !== 0) {
    if (await isPortFree(metrics.port)) return metrics.port
    if (env['METRICS_PORT']) throw new ExpectedError(`Port ${metrics.port} is taken by another program: set METRICS_PORT to another one`)
  }
  const port = await findFreePort()
  if (metrics.port !== 0) say(`Port ${metrics.port} is taken; /metrics is on ${port} instead (METRICS_PORT changes it).`)
  return port
}

async function waitUntilReady(url: string, processor: Program, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS
  while (!signal.aborted) {
    if (!processor.isRunning) throw new ExpectedError(`The processor ended (${await processor.exited}); see logs/processor.log in DATA_DIR`)
    const answer = await fetchText(url)
    if (answer?.ok === true) return
    if (performance.now() > deadline) throw new ExpectedError(`The processor is not ready: ${answer?.text.trim() ?? 'no answer'}`)
    await pause(200, signal)
  }
}

async function watch(url: string, output: LiveLine, children: readonly Program[], signal: AbortSignal): Promise<void> {
  let before: Reading | null = null
  let beforeMs = performance.now()
  const everyMs = output.isLive ? REFRESH_MS : LINE_EVERY_MS
  while (!signal.aborted) {
    await pause(before === null ? REFRESH_MS : everyMs, signal)
    const dead = children.find(child => !child.isRunning)
    if (dead !== undefined) throw new ExpectedError(`${dead.name} ended (${await dead.exited}); see logs/${dead.name}.log in DATA_DIR`)
    const now = await readMetrics(url)
    if (now === null) continue
    const nowMs = performance.now()
    output.show(progressLine(now, before ?? now, (nowMs - beforeMs) / 1_000))
    before = now
    beforeMs = nowMs
  }
}

/** Waits until the processor has nothing more to receive: its sums stand still and nothing is in flight. */
async function untilEmpty(url: string): Promise<void> {
  const deadline = performance.now() + EMPTY_WITHIN_MS
  let last = -1
  while (performance.now() < deadline) {
    const now = await readMetrics(url)
    if (now === null || now.received === last) return
    last = now.received
    await pause(300, null)
  }
}

async function readMetrics(url: string): Promise<Reading | null> {
  const answer = await fetchText(url)
  return answer?.ok === true ? readTotals(answer.text) : null
}

async function fetchText(url: string): Promise<{ readonly ok: boolean; readonly text: string } | null> {
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

function introduction(origin: string, dbConnection: string, logDir: string, children: readonly Program[]): string {
  return [
    '',
    'Three fake producers send events; the processor stores each exactly once. Have a look:',
    '  rows      npm run sql -- "SELECT count(*) FROM message"',
    '            npm run sql -- "SELECT reason, count(*) FROM rejection GROUP BY reason"',
    `            psql "${dbConnection}"`,
    `  metrics   ${origin}/metrics   (health: ${origin}/readyz)`,
    `  logs      ${logDir}`,
    `  running   ${children.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')}`,
    '  stop      Ctrl-C',
    ''
  ].join('\n')
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
