/**
 * The ledger: a file of what the queue has accepted, so that each event can be looked for
 * afterwards.
 *
 * A line is written after the queue's answer. A kill -9 in between leaves a message
 * without a line: the tables may then have rows that the ledger does not list, but no
 * event seems lost.
 *
 * Shapes  NDJSON, one LedgerEntry per accepted send; an existing file is continued.
 * Errors  a last line torn by a crash is removed when the file is continued, and reported
 *         when it is read. Any other line that is not an entry is a LedgerError that
 *         names its number. After a failed write all further ones reject: a ledger with a
 *         gap proves nothing.
 */
import { type FileHandle, open } from 'node:fs/promises'
import type { Clock } from '../../../engine/lifecycle/clock.js'
import { ExpectedError } from '../../../engine/lifecycle/service.js'

export interface LedgerEntry {
  /** The queue's MessageId. */
  readonly queueMessageId: string
  /** The client it was sent for; an invalid body may name another or none. */
  readonly clientId: string
  readonly eventType: string | null
  readonly eventId: string | null
  /**
   * SHA-256 in hex of the `message` value's JSON text, exactly as it is in the body, in
   * UTF-8; null if nothing may be stored.
   */
  readonly payloadSha256: string | null
  /** Whether the event must be stored; otherwise it must be rejected. */
  readonly valid: boolean
  readonly bytes: number
}

export class LedgerError extends ExpectedError {
  override readonly name = 'LedgerError'
}

/** Names the file in the error of a file operation. */
export function asLedgerError(file: string, error: unknown): unknown {
  const isOfFile = error instanceof Error && 'syscall' in error
  return isOfFile
    ? new LedgerError(`The ledger ${file} cannot be used: ${error.message}`, { cause: error })
    : error
}

export interface LedgerWriter<Entry = LedgerEntry> {
  /** Resolves once the operating system has the lines. */
  append(entries: readonly Entry[]): Promise<void>
  /** Writes the rest, forces it to disk and closes the file. May be called twice. */
  close(): Promise<void>
}

const SYNC_MS = 1_000
const NEWLINE = 0x0a
/** An entry has a few hundred bytes; a file with longer lines is not a ledger. */
export const MAX_LINE_BYTES = 65_536

export async function openLedger<Entry = LedgerEntry>(
  file: string,
  clock: Clock
): Promise<LedgerWriter<Entry>> {
  const handle = await openAtEnd(file)
  let waiting = ''
  /** All writes and syncs, one after the other. After a failure it stays rejected. */
  let chain: Promise<void> = Promise.resolve()
  /** The write that has not started yet; it takes what is appended until then. */
  let nextWrite: Promise<void> | null = null
  let isDirty = false
  let closing: Promise<void> | null = null
  let cancelSync: () => void = () => undefined

  const write = async (): Promise<void> => {
    nextWrite = null
    const text = waiting
    waiting = ''
    isDirty = true
    await handle.appendFile(text).catch((error: unknown) => {
      throw asLedgerError(file, error)
    })
  }
  const sync = async (): Promise<void> => {
    if (!isDirty) return
    isDirty = false
    await handle.datasync()
  }
  const syncEachSecond = (): void => {
    cancelSync = clock.after(SYNC_MS, () => {
      chain = chain.then(sync)
      // The failure is not lost: the next append and close await the same chain.
      chain.catch(() => undefined)
      syncEachSecond()
    })
  }
  const close = async (): Promise<void> => {
    cancelSync()
    try {
      await chain
      await sync()
    } finally {
      await handle.close()
    }
  }
  syncEachSecond()

  return {
    async append(entries) {
      if (closing !== null) throw new LedgerError('The ledger is closed')
      waiting += entries.map(entry => `${JSON.stringify(entry)}\n`).join('')
      if (nextWrite === null) {
        nextWrite = chain.then(write)
        chain = nextWrite
      }
      await nextWrite
    },
    close() {
      closing ??= close()
      return closing
    }
  }
}

/**
 * Opens the file and truncates it after its last newline: otherwise the first new line
 * would be appended to a torn one.
 */
async function openAtEnd(file: string): Promise<FileHandle> {
  const handle = await open(file, 'a+').catch((error: unknown) => {
    throw asLedgerError(file, error)
  })
  try {
    const { size } = await handle.stat()
    const tail = Buffer.alloc(Math.min(size, MAX_LINE_BYTES))
    await handle.read(tail, 0, tail.length, size - tail.length)
    const newline = tail.lastIndexOf(NEWLINE)
    if (size >= MAX_LINE_BYTES && newline === -1)
      throw new LedgerError(`${file} is not a ledger: its last line is longer than any entry`)
    const end = size - tail.length + newline + 1
    if (end < size) await handle.truncate(end)
    return handle
  } catch (error) {
    await handle.close()
    throw asLedgerError(file, error)
  }
}
