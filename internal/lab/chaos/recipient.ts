/**
 * The built recipient in a chaos run: it checks signatures and records what it accepts.
 * Each life listens on a new port, because another program may have taken the old one.
 *
 * Errors  rejects when it does not start; an unexpected end goes to `onWrong`.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../../engine/config/environment.js'
import { BuiltProgram, inheritedFrom } from '../programs/built-program.js'

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
  #program: BuiltProgram | null = null
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
    const { directory, env, onWrong } = this.#options
    const files = ['--secrets', this.#secretsFile, '--ledger', this.ledgerFile]
    const program = new BuiltProgram({
      name: 'recipient',
      args: ['--port', '0', ...files, '--quiet'],
      env: inheritedFrom(env),
      directory
    })
    this.#program = program
    const { url } = await program.said('listening', START_MS)
    this.#port = Number(new URL(String(url)).port)
    program.failure.catch((error: unknown) => onWrong(String(error)))
  }

  /** kill -9; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#program?.end('SIGKILL')
  }

  /** Ends it in an orderly way, so that its whole ledger is in the file. */
  async close(): Promise<void> {
    await this.#program?.end('SIGTERM', END_MS)
  }
}
