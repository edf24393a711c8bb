/**
 * The ledger: a file that says what the queue has accepted, so that afterwards each event
 * can be asked for.
 *
 * Shapes  NDJSON, one LedgerEntry per accepted send; a file that exists is continued.
 * Errors  a last line that was torn by a crash is cut off when the file is continued, and
 *         told when it is read; every other line that is not an entry is a LedgerError
 *         with its number. A failed write rejects and stays: a ledger with a hole proves
 *         nothing.
 * Source  a line is written after the queue's answer, so a kill -9 in between leaves a
 *         message that no line speaks of: it can make rows that are not listed here, but
 *         never an event that seems lost.
 */
import { type FileHandle, open } from 'node:fs/promises'
import type { Clock } from '../../../engine/lifecycle/clock.js'
import { ExpectedError } from '../../../engine/lifecycle/service.js'

export interface LedgerEntry {
  /** The queue's MessageId. */
  readonly queueMessageId: string
  /**
   * The client on whose behalf it was sent; the body of an invalid one may name another
   * or none.
   */
  readonly clientId: string
  readonly eventType: string | null
  readonly eventId: string | null
  /**
   * Of the JSON text of the `message` value as it stands in the body, in UTF-8, as hex;
   * null where nothing may be stored.
   */
  readonly payloadSha256: string | null
  /** Whether the event must be stored; otherwise it must be rejected. */
  readonly valid: boolean
  readonly bytes: number
}

export class LedgerError extends ExpectedError {
  override readonly name = 'LedgerError'
}

/** The error of a file operation as one that says which file it was. */
export function asLedgerError(file: string, error: unknown): unknown {
  const isOfFile = error instanceof Error && 'syscall' in error
  return isOfFile
    ? new LedgerError(`The ledger ${file} cannot be used: ${error.message}`, { cause: error })
    : error
}

export interface LedgerWriter<Entry = LedgerEntry> {
  /**
   * Resolves when the lines have been handed to the operating system; whoever waits for
   * it is never far ahead of the file.
   */
  append(entries: readonly Entry[]): Promise<void>
  /** Writes what is left, forces it to disk and closes the file. May be called twice. */
  close(): Promise<void>
}

const SYNC_MS = 1_000
const NEWLINE = 0x0a
/** An entry has a few hundred bytes; a file whose lines are longer is something else. */
export const MAX_LINE_BYTES = 65_536

export async function openLedger<Entry = LedgerEntry>(
  file: string,
  clock: Clock
): Promise<LedgerWriter<Entry>> {
  const handle = await openAtEnd(file)
  let waiting = ''
  /**
   * All writes and syncs, one after the other. Once one has failed the chain stays
   * rejected.
   */
  let chain: Promise<void> = Promise.resolve()
  /**
   * The write that has not started yet: whatever is appended until then goes along with
   * it.
   */
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
      // Not lost: the next append and close wait for the same chain.
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
 * Opens the file and ends it at its last newline: a line torn by a crash would otherwise
 * run into the first new one.
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
      throw new LedgerError(`${file} is no ledger: its last line is longer than any entry`)
    const end = size - tail.length + newline + 1
    if (end < size) await handle.truncate(end)
    return handle
  } catch (error) {
    await handle.close()
    throw asLedgerError(file, error)
  }
}
