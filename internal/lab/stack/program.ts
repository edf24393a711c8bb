/**
 * A built program as a child of `npm start`.
 *
 * It runs in a process group of its own, so that Ctrl-C reaches `npm start` alone and the
 * order of the end is ours. Its IPC channel ends it too if `npm start` is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../../engine/config/environment.js'
import { systemClock } from '../../engine/lifecycle/clock.js'
import { delay } from '../../engine/lifecycle/interrupt.js'
import { ExpectedError } from '../../engine/lifecycle/service.js'
import { fetchText } from './fetch-text.js'

export interface StackProgramSpec {
  /** The folder of its entry point below `cmd/`. */
  readonly name: string
  readonly args: readonly string[]
  readonly env: Environment
  readonly logDir: string
  /** Of its /metrics and /readyz; null where it has none. */
  readonly origin: string | null
}

const READY_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 200

export class StackProgram {
  readonly name: string
  readonly origin: string | null
  readonly pid: number
  readonly exited: Promise<string>
  readonly #child: ChildProcess
  #isRunning = true

  constructor({ name, args, env, logDir, origin }: StackProgramSpec) {
    this.name = name
    this.origin = origin
    const log = createWriteStream(join(logDir, `${name}.log`), { flags: 'w' })
    const entry = fileURLToPath(new URL(`../../../cmd/${name}/index.js`, import.meta.url))
    this.#child = spawn(process.execPath, [entry, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      env: { ...env }
    })
    this.#child.stdout?.pipe(log, { end: false })
    this.#child.stderr?.pipe(log, { end: false })
    this.pid = this.#child.pid ?? 0
    this.exited = new Promise(resolve => {
      this.#child.once('exit', (code, signal) => {
        this.#isRunning = false
        resolve(signal ?? `exit code ${code}`)
      })
    })
  }

  /** Throws an ExpectedError when it has ended by itself. */
  async assertRunning(): Promise<void> {
    if (this.#isRunning) return
    throw new ExpectedError(
      `The ${this.name} ended (${await this.exited}); see logs/${this.name}.log in DATA_DIR`
    )
  }

  /** Resolves when it is ready, or when `signal` aborts. */
  async untilReady(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS
    while (this.origin !== null && !signal.aborted) {
      await this.assertRunning()
      const answer = await fetchText(`${this.origin}/readyz`)
      if (answer?.ok === true) return
      if (performance.now() > deadline)
        throw new ExpectedError(
          `The ${this.name} is not ready: ${answer?.text.trim() ?? 'no answer'}`
        )
      await delay(systemClock, LOOK_EVERY_MS, signal)
    }
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    if (this.#isRunning) this.#child.kill('SIGTERM')
    await this.exited
  }
}
