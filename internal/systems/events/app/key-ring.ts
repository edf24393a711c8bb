/**
 * The keys that endpoints' secrets are encrypted with: the setting's, or beside embedded
 * services one that is made at its first use.
 *
 * Errors  ExpectedError; no message holds a key.
 * Source  POSIX link(2): of several programs that make the file at once, one succeeds,
 *         and all read a file that is whole.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'
import { ExpectedError } from '../../../engine/lifecycle/service.js'
import type { SenderConfig } from '../config/config.js'
import { type KeyRing, parseKeyRing, SealError } from '../delivery/sealed.js'

const FILE = 'sender-secret-key'
const KEY_BYTES = 32
/** Nobody but the owner reads it. */
const MODE = 0o600

export function openKeyRing({
  sender,
  services
}: Pick<SenderConfig, 'sender' | 'services'>): KeyRing {
  if (sender.secretKeys !== null) return parseKeyRing(sender.secretKeys)
  if (services.kind === 'external') throw new ExpectedError('SENDER_SECRET_KEYS is missing')
  const { dataDir } = services.embedded
  const file = join(dataDir, FILE)
  try {
    return parseKeyRing((read(file) ?? make(dataDir, file)).trim())
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    throw new ExpectedError(
      `${file} holds no key that is understood. Put it back from a copy; or remove it, and give each endpoint a new secret (admin endpoints rotate-secret)`
    )
  }
}

function make(dataDir: string, file: string): string {
  mkdirSync(dataDir, { recursive: true })
  const draft = `${file}.${randomUUID()}`
  const text = `embedded:${randomBytes(KEY_BYTES).toString('base64')}\n`
  writeDurably(draft, text)
  try {
    linkSync(draft, file)
    return text
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
    return readFileSync(file, 'utf8')
  } finally {
    rmSync(draft, { force: true })
  }
}

/** An empty file after a crash would be a key that is lost, and with it every secret. */
function writeDurably(file: string, text: string): void {
  const descriptor = openSync(file, 'wx', MODE)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw error
  }
}

const isCode = (error: unknown, code: string): boolean =>
  (error as NodeJS.ErrnoException).code === code
