/**
 * Writes rejections as JSON lines, one at a time, however many there are.
 *
 * Errors  ExpectedError where the file is there already or cannot be written.
 */
import { open } from 'node:fs/promises'
import type { ExitCode } from '../../../engine/cli/command.js'
import type { Output } from '../../../engine/cli/output.js'
import { formatPlural } from '../../../engine/cli/terminal-text.js'
import { ExpectedError } from '../../../engine/lifecycle/service.js'
import type { RejectionRecord } from '../store/records.js'

export interface ExportOptions {
  readonly rejections: AsyncIterable<RejectionRecord>
  readonly toJson: (rejection: RejectionRecord) => object
  /** Null: the output's results. */
  readonly file: string | null
  readonly output: Output
  readonly signal: AbortSignal
}

export async function exportRejections({
  rejections,
  toJson,
  file,
  output,
  signal
}: ExportOptions): Promise<ExitCode> {
  const target =
    file === null
      ? { write: (text: string) => output.write(text), close: () => Promise.resolve() }
      : await openFile(file)
  let written = 0
  try {
    for await (const rejection of rejections) {
      // Nobody reads any more, or nobody wants more.
      if (signal.aborted || !(await target.write(`${JSON.stringify(toJson(rejection))}\n`))) break
      written++
    }
  } finally {
    await target.close()
  }
  const where = file === null ? '' : ` to ${file}`
  output.remark(
    `${formatPlural(written, 'rejection')} written${where}${signal.aborted ? '; interrupted, there are more' : ''}`
  )
  return signal.aborted ? 1 : 0
}

async function openFile(
  path: string
): Promise<{ write: (text: string) => Promise<boolean>; close: () => Promise<void> }> {
  const file = await open(path, 'wx').catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException
    throw new ExpectedError(
      code === 'EEXIST'
        ? `${path} is there already: name a new file`
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
