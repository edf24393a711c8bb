/**
 * One system's programs under `npm start`.
 *
 * They start in the order of the system's list: the first one makes the tables, so the
 * others wait until it is ready. Programs that create work are stopped first. When their
 * work is finished, the others are stopped, last one first.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment } from '../../engine/config/environment.js'
import type { System } from '../../engine/program/system.js'
import { choosePort } from './choose-port.js'
import type { Demo, Figures } from './demo.js'
import { StackProgram } from './program.js'

export interface StandOptions {
  readonly system: System
  /** Null: its programs start without arguments, and nothing more is shown. */
  readonly demo: Demo | null
  readonly env: Environment
  /** The port that a setting gives. */
  readonly portOf: (setting: string) => number
  readonly logDir: string
  readonly say: (line: string) => void
}

/** Longest wait for the work that is left. */
const FINISH_WITHIN_MS = 10_000
/** Workers report every second. */
const STILL_MS = 1_200

export class Stand {
  readonly demo: Demo | null
  readonly #options: StandOptions
  readonly #programs: StackProgram[] = []

  constructor(options: StandOptions) {
    this.demo = options.demo
    this.#options = options
  }

  get programs(): readonly StackProgram[] {
    return this.#programs
  }

  get origins(): ReadonlyMap<string, string> {
    return new Map(
      this.#programs.flatMap(({ name, origin }) => (origin === null ? [] : [[name, origin]]))
    )
  }

  async start(signal: AbortSignal): Promise<void> {
    const { system, env, portOf, logDir, say } = this.#options
    for (const { name, portSetting } of system.programs) {
      if (signal.aborted) return
      const args = this.demo === null ? [] : await this.demo.argumentsOf(name)
      if (args === null) continue
      const port =
        portSetting === null ? null : await choosePort(portSetting, portOf(portSetting), env, say)
      const program = new StackProgram({
        name,
        args,
        env: portSetting === null ? env : { ...env, [portSetting]: String(port) },
        logDir,
        origin: port === null ? null : `http://127.0.0.1:${port}`
      })
      this.#programs.push(program)
      if (this.#programs.length === 1) await program.untilReady(signal)
    }
  }

  /** Null without a demo, or when nothing can be read. */
  async read(): Promise<Figures | null> {
    return this.demo === null ? null : this.demo.read(this.origins)
  }

  /**
   * Stops the programs that create work, and waits until their work is finished; returns
   * the final figures.
   */
  async finish(): Promise<readonly string[]> {
    if (this.demo === null) return []
    const { sources, untilStill, describe } = this.demo
    for (const program of this.#programs) if (sources.includes(program.name)) await program.stop()
    for (const figure of untilStill) await this.#untilStill(figure)
    const last = await this.read()
    return last === null ? [] : [describe(last)]
  }

  async stop(): Promise<void> {
    for (const program of this.#programs.toReversed()) await program.stop()
  }

  async #untilStill(figure: string): Promise<void> {
    const deadline = performance.now() + FINISH_WITHIN_MS
    let last: number | undefined = -1
    while (performance.now() < deadline) {
      const now = await this.read()
      if (now === null || now[figure] === last) return
      last = now[figure]
      await delay(STILL_MS)
    }
  }
}
