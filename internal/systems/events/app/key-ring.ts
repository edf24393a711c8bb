/**
 * The keys that encrypt endpoints' secrets: the setting's, or with embedded services one
 * that is made at first use.
 *
 * Errors  ExpectedError; no message holds a key.
 * Source  POSIX link(2): if several programs make the file at once, one succeeds, and all
 *         read a complete file.
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
/** Only the owner may read it. */
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
      `${file} holds no valid key. Restore it from a backup, or remove it ` +
        'and give each endpoint a new secret (admin endpoints rotate-secret)'
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

/** Syncs the file: if a crash left it empty, the key and every secret would be lost. */
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
