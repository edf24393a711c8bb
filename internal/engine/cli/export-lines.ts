/**
 * Writes items as JSON lines, one at a time, however many there are.
 *
 * Errors  ExpectedError if the file already exists or cannot be written.
 */
import { open } from 'node:fs/promises'
import { ExpectedError } from '../lifecycle/service.js'
import type { ExitCode } from './command.js'
import type { Output } from './output.js'
import { formatPlural } from './terminal-text.js'

export interface ExportOptions<Item> {
  readonly items: AsyncIterable<Item>
  /** The word for one item. */
  readonly noun: string
  readonly toJson: (item: Item) => object
  /** Null: standard output. */
  readonly file: string | null
  readonly output: Output
  readonly signal: AbortSignal
}

export async function exportLines<Item>({
  items,
  noun,
  toJson,
  file,
  output,
  signal
}: ExportOptions<Item>): Promise<ExitCode> {
  const target =
    file === null
      ? { write: (text: string) => output.write(text), close: () => Promise.resolve() }
      : await openFile(file)
  let written = 0
  try {
    for await (const item of items) {
      // Stopped, or the reader has left.
      if (signal.aborted || !(await target.write(`${JSON.stringify(toJson(item))}\n`))) break
      written++
    }
  } finally {
    await target.close()
  }
  const where = file === null ? '' : ` to ${file}`
  const cut = signal.aborted ? '; interrupted, there are more' : ''
  output.remark(`${formatPlural(written, noun)} written${where}${cut}`)
  return signal.aborted ? 1 : 0
}

async function openFile(
  path: string
): Promise<{ write: (text: string) => Promise<boolean>; close: () => Promise<void> }> {
  const file = await open(path, 'wx').catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException
    throw new ExpectedError(
      code === 'EEXIST'
        ? `${path} already exists: name a new file`
        : `${path} cannot be written: ${message}`
    )
  })
  return {
    async write(text) {
      await file.writeFile(text)
      return true
    },
    close: () => file.close()
  }
}
