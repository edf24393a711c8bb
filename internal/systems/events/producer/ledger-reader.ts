/**
 * Reads a ledger line by line, however long it is.
 *
 * Errors  LedgerError that names the line, for a line that is not an entry. Only a last
 *         line without its newline may be unreadable: a crash cut it off. `onTornLine`
 *         gets its number.
 */
import { createReadStream } from 'node:fs'
import { asLedgerError, type LedgerEntry, LedgerError, MAX_LINE_BYTES } from './ledger.js'

/** `problemOf` says what is wrong with a line's value in this kind of ledger. */
export async function* readLedger<Entry = LedgerEntry>(
  file: string,
  onTornLine: (line: number) => void,
  problemOf: (value: unknown) => string | null = problemOfEntry
): AsyncGenerator<Entry> {
  try {
    yield* readEntries<Entry>(file, onTornLine, problemOf)
  } catch (error) {
    throw asLedgerError(file, error)
  }
}

async function* readEntries<Entry>(
  file: string,
  onTornLine: (line: number) => void,
  problemOf: (value: unknown) => string | null
): AsyncGenerator<Entry> {
  let rest = ''
  let line = 0
  // Split at \n only: readline also splits at U+2028, which JSON text may contain.
  for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
    const lines = `${rest}${chunk as string}`.split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) yield parseEntry(text, ++line, problemOf) as Entry
    if (rest.length > MAX_LINE_BYTES)
      throw new LedgerError(`Line ${line + 1} of the ledger is longer than any entry`)
  }
  if (rest === '') return
  const last = parseJson(rest)
  if (last === undefined) onTornLine(line + 1)
  else yield parseEntry(rest, line + 1, problemOf) as Entry
}

function parseEntry(
  text: string,
  line: number,
  problemOf: (value: unknown) => string | null
): unknown {
  const value = parseJson(text)
  const problem = value === undefined ? 'it is not JSON' : problemOf(value)
  if (problem !== null)
    throw new LedgerError(`Line ${line} of the ledger is not an entry: ${problem}`)
  return value
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isTextOrNull = (value: unknown): boolean => value === null || isText(value)

const FIELDS: Readonly<Record<keyof LedgerEntry, (value: unknown) => boolean>> = {
  queueMessageId: value => isText(value) && value !== '',
  clientId: isText,
  eventType: isTextOrNull,
  eventId: isTextOrNull,
  payloadSha256: isTextOrNull,
  valid: value => typeof value === 'boolean',
  bytes: value => Number.isSafeInteger(value)
}

function problemOfEntry(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return 'it is not an object'
  const wrong = Object.entries(FIELDS).filter(
    ([name, isRight]) => !isRight((value as Record<string, unknown>)[name])
  )
  return wrong.length === 0
    ? null
    : `${wrong.map(([name]) => name).join(', ')} missing or of the wrong type`
}
