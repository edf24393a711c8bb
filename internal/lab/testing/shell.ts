/**
 * A shell in which a test types the manual's commands and reads their output. Commands
 * run one after the other; functions, variables and jobs persist, as in a terminal.
 *
 * Errors  a command that does not end in time, and a shell that ends too early.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { until } from './until.js'

export interface Printed {
  /** Both streams. */
  readonly output: string
  readonly exitCode: number
}

interface Teardown {
  teardown(fn: () => unknown): void
}

export interface ShellOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Run first; defines functions that stand in for programs. */
  readonly preamble: string
}

/** Whole programs are slow on a busy machine. */
const COMMAND_LIMIT_MS = 90_000
const MARK = 'end-of-command'
const LAST = new RegExp(`\\n?${MARK} (\\d+)\\n$`)

export class Shell {
  readonly #child
  readonly #ended: Promise<unknown>
  #printed = ''

  constructor(t: Teardown, { cwd, env, preamble }: ShellOptions) {
    this.#child = spawn('bash', ['--norc', '--noprofile'], {
      cwd,
      env,
      stdio: ['pipe', 'pipe', 'inherit']
    })
    this.#ended = once(this.#child, 'close')
    this.#child.stdout.on('data', chunk => (this.#printed += String(chunk)))
    t.teardown(() => {
      this.#child.stdin.end('kill $(jobs -p) 2>/dev/null\n')
      return this.#ended
    })
    this.#child.stdin.write(`exec 2>&1\n${preamble}\n`)
  }

  async run(command: string): Promise<Printed> {
    this.#printed = ''
    this.#child.stdin.write(`${command}\nprintf '\\n${MARK} %d\\n' $?\n`)
    await until(command, () => LAST.test(this.#printed), COMMAND_LIMIT_MS)
    const [, exitCode] = LAST.exec(this.#printed) ?? []
    return { output: this.#printed.replace(LAST, ''), exitCode: Number(exitCode) }
  }
}
