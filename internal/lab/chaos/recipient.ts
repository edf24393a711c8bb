/**
 * The built recipient, in a chaos run: checks signatures, and writes down
 * what it accepts. Each life listens on a port of its own: that of the life before may be
 * somebody else's by now.
 *
 * Errors  rejects when it does not come up; an end that nobody asked for goes to
 *         `onWrong`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../../engine/config/environment.js'
import { eventually } from './eventually.js'
import { inheritedFrom } from './settings.js'

export interface RecipientOptions {
  readonly directory: string
  readonly env: Environment
  /** By path. */
  readonly secrets: Readonly<Record<string, string>>
  readonly onWrong: (text: string) => void
}

const START_MS = 30_000
const END_MS = 10_000

export class Recipient {
  readonly ledgerFile: string
  readonly #options: RecipientOptions
  readonly #secretsFile: string
  #child: ChildProcess | null = null
  #isUp = false
  #isEndMeant = false
  #port = 0

  private constructor(options: RecipientOptions) {
    this.#options = options
    this.ledgerFile = join(options.directory, 'recipient.ndjson')
    this.#secretsFile = join(options.directory, 'recipient-secrets.json')
    writeFileSync(this.#secretsFile, JSON.stringify(options.secrets))
  }

  static async start(options: RecipientOptions): Promise<Recipient> {
    const recipient = new Recipient(options)
    await recipient.startAgain()
    return recipient
  }

  get port(): number {
    return this.#port
  }

  async startAgain(): Promise<void> {
    const { directory, env } = this.#options
    const entry = fileURLToPath(new URL('../../../cmd/recipient/index.js', import.meta.url))
    const args = [
      '--port',
      '0',
      '--secrets',
      this.#secretsFile,
      '--ledger',
      this.ledgerFile,
      '--quiet'
    ]
    const child = spawn(process.execPath, [entry, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      cwd: directory,
      env: { ...inheritedFrom(env), LOG_FORMAT: 'json' }
    })
    this.#child = child
    this.#isEndMeant = false
    let printed = ''
    child.once('exit', (code, name) => {
      if (!this.#isEndMeant)
        this.#options.onWrong(
          `the recipient ended by itself with ${code ?? name ?? 'nothing'}: ${printed}`
        )
      this.#child = null
      this.#isUp = false
    })
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue
      createInterface({ input: stream }).on('line', line => {
        const url = listeningAt(line)
        if (url === null) printed += `${line}\n`
        else this.#port = Number(new URL(url).port)
        this.#isUp ||= url !== null
      })
    }
    if (
      (await eventually(() => this.#isUp || this.#child === null, START_MS)) === null ||
      !this.#isUp
    ) {
      throw new Error(`the recipient did not come up: ${printed}`)
    }
  }

  /** kill -9; resolves when it is gone. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** Ends it as a program should, so that all of its ledger is in the file. */
  async close(): Promise<void> {
    const cancel = setTimeout(() => this.#child?.kill('SIGKILL'), END_MS)
    await this.#end('SIGTERM')
    clearTimeout(cancel)
  }

  async #end(name: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === null) return
    this.#isEndMeant = true
    const ended = once(child, 'exit')
    child.kill(name)
    await ended
  }
}

function listeningAt(line: string): string | null {
  if (!line.startsWith('{')) return null
  const { msg, url } = JSON.parse(line) as { readonly msg?: string; readonly url?: string }
  return msg === 'listening' ? (url ?? null) : null
}
