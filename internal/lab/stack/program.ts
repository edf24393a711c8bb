/** A built program as a child of `npm start`, with a log file of its own. */
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../../engine/config/environment.js'
import { systemClock } from '../../engine/lifecycle/clock.js'
import { delay } from '../../engine/lifecycle/interrupt.js'
import { ExpectedError } from '../../engine/lifecycle/service.js'
import { BuiltProgram } from '../programs/built-program.js'
import { fetchText } from './fetch-text.js'

export interface StackProgramSpec {
  /** The folder of its entry point below `cmd/`. */
  readonly name: string
  readonly args: readonly string[]
  readonly env: Environment
  readonly logDir: string
  /** Where its /metrics and /readyz are; null if it has none. */
  readonly origin: string | null
}

const READY_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 200
/** Longer than any program's own deadline. */
const STOP_WITHIN_MS = 120_000

export class StackProgram {
  readonly name: string
  readonly origin: string | null
  readonly #program: BuiltProgram

  constructor({ name, args, env, logDir, origin }: StackProgramSpec) {
    this.name = name
    this.origin = origin
    const log = createWriteStream(join(logDir, `${name}.log`), { flags: 'w' })
    this.#program = new BuiltProgram({ name, args, env, directory: process.cwd() })
    this.#program.onLine(line => log.write(`${line}\n`))
  }

  get pid(): number {
    return this.#program.pid
  }

  /** Throws an ExpectedError when it has ended by itself. */
  async assertRunning(): Promise<void> {
    if (this.#program.isRunning) return
    const end = await this.#program.exited
    const how = typeof end === 'number' ? `exit code ${end}` : end
    throw new ExpectedError(
      `The ${this.name} ended (${how}); see logs/${this.name}.log in DATA_DIR`
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
    await this.#program.end('SIGTERM', STOP_WITHIN_MS)
  }
}
