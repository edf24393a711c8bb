/**
 * Runs one of our built programs as a child of this process, as a user would start it.
 *
 * It has its own process group, so that a Ctrl-C reaches only this process, and an IPC
 * channel, so that it ends by itself when this process is killed. It gets the given
 * environment and nothing else.
 *
 * Errors  `said` and `failure` reject with the last lines of its output.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../../engine/config/environment.js'

export interface ProgramSpec {
  readonly name: string
  /** The file to run; default: the program of that name in cmd. */
  readonly entry?: string
  readonly args?: readonly string[]
  readonly env: Environment
  /** Its working directory: one without a user's .env. */
  readonly directory: string
}

/** Exit code or signal. */
export type ProgramEnd = number | NodeJS.Signals

/** A line of its log. */
export type LogLine = Readonly<Record<string, unknown>>

const KEPT_LINES = 20
/** Long enough for a busy machine. */
const READY_WITHIN_MS = 60_000
const END_WITHIN_MS = 30_000
const NEEDED = ['PATH', 'HOME', 'TZ', 'NODE_OPTIONS']

/** The variables that any program needs, and those of the given names. */
export function inheritedFrom(
  env: Environment,
  ...names: readonly string[]
): Record<string, string> {
  return Object.fromEntries(
    [...NEEDED, ...names].flatMap(name => (env[name] === undefined ? [] : [[name, env[name]]]))
  )
}

/** The file of a program in cmd. */
export function programEntry(name: string): string {
  // Tests run from the sources, but start the built programs.
  const root = import.meta.url.endsWith('.ts') ? '../../../dist/' : '../../../'
  return fileURLToPath(new URL(`${root}cmd/${name}/index.js`, import.meta.url))
}

export class BuiltProgram {
  readonly name: string
  readonly child: ChildProcess
  readonly pid: number
  /** Its own end; its workers may still run. */
  readonly exited: Promise<ProgramEnd>
  /** Its end, and that of all processes that share its output. */
  readonly closed: Promise<ProgramEnd>
  /** Rejects if it ends before `end` is called; never resolves. */
  readonly failure: Promise<never>
  #isRunning = true
  #isEndMeant = false
  readonly #lastLines: string[] = []
  readonly #firsts = new Map<string, LogLine>()
  readonly #listeners: ((line: string) => void)[] = []

  constructor({ name, entry = programEntry(name), args = [], env, directory }: ProgramSpec) {
    this.name = name
    this.child = spawn(process.execPath, [entry, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      cwd: directory,
      env: { LOG_FORMAT: 'json', ...env }
    })
    this.pid = this.child.pid ?? 0
    this.exited = this.#untilEnded('exit')
    this.closed = this.#untilEnded('close')
    this.failure = this.#untilFailed()
    // Callers race their waits against it; if nobody waits, it must not end this process.
    this.failure.catch(() => undefined)
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', line => this.#hear(line))
    }
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Calls `listener` with each further line of its output. */
  onLine(listener: (line: string) => void): void {
    this.#listeners.push(listener)
  }

  /**
   * Resolves with the first log line that has this message, past or future. A program
   * that does not log it in time is killed.
   */
  async said(message: string, withinMs = READY_WITHIN_MS): Promise<LogLine> {
    let timer: NodeJS.Timeout | undefined
    const said = new Promise<LogLine>((resolve, reject) => {
      const look = (): void => {
        const line = this.#firsts.get(message)
        if (line !== undefined) resolve(line)
      }
      look()
      this.onLine(look)
      timer = setTimeout(() => {
        reject(this.#error(`the ${this.name} has not said “${message}” after ${withinMs} ms`))
        void this.end('SIGKILL')
      }, withinMs)
    })
    return Promise.race([said, this.failure]).finally(() => clearTimeout(timer))
  }

  /** Sends a signal, unless it has ended. */
  signal(name: NodeJS.Signals): boolean {
    return this.#isRunning && this.child.kill(name)
  }

  /** Asks it to end, and kills it if it does not end in time. */
  async end(name: NodeJS.Signals = 'SIGTERM', withinMs = END_WITHIN_MS): Promise<ProgramEnd> {
    this.#isEndMeant = true
    this.signal(name)
    const timer = setTimeout(() => this.signal('SIGKILL'), withinMs)
    return this.exited.finally(() => clearTimeout(timer))
  }

  #untilEnded(event: 'exit' | 'close'): Promise<ProgramEnd> {
    return new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once(event, (code: number | null, signal: NodeJS.Signals | null) => {
        this.#isRunning = false
        resolve(code ?? signal ?? 0)
      })
    })
  }

  async #untilFailed(): Promise<never> {
    const end = await this.closed
    if (this.#isEndMeant) return new Promise<never>(() => undefined)
    const how = typeof end === 'number' ? `exit code ${end}` : end
    throw this.#error(`the ${this.name} ended by itself (${how})`)
  }

  #error(what: string): Error {
    return new Error(`${what}:\n${this.#lastLines.join('\n')}`)
  }

  #hear(text: string): void {
    this.#lastLines.push(text)
    if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift()
    const line = parseLine(text)
    const message = String(line['msg'])
    if (!this.#firsts.has(message)) this.#firsts.set(message, line)
    for (const listener of this.#listeners) listener(text)
  }
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine
  } catch {
    return {}
  }
}
