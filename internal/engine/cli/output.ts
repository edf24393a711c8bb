/**
 * Writes a command's results to one stream, and its remarks and progress to another, so
 * that results can be piped.
 *
 * Errors  a reader that closes the pipe (`| head`) is not a failure: `write` resolves
 *         with false, and the command need not write more.
 */
import { Presets, SingleBar } from 'cli-progress'
import { formatCount } from './terminal-text.js'

export interface ProgressBar {
  update(done: number): void
  stop(): void
}

export interface Output {
  /** Width of the terminal; null when results go elsewhere. */
  readonly columns: number | null
  /** Resolves when the stream takes more; with false when nobody reads any more. */
  write(text: string): Promise<boolean>
  /** Writes one JSON document. */
  json(value: unknown): Promise<boolean>
  /** Writes a line for the user. */
  remark(text: string): void
  /** Shows a bar on a terminal; nothing elsewhere. */
  progress(total: number): ProgressBar
}

export type OutputStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean
  readonly columns?: number
}

export function createOutput(results: OutputStream, remarks: OutputStream): Output {
  let isClosed = false
  results.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    isClosed = true
  })
  const write = async (text: string): Promise<boolean> => {
    if (isClosed) return false
    await new Promise<void>(resolve => void results.write(text, () => resolve()))
    return !isClosed
  }
  return {
    columns: results.isTTY === true ? (results.columns ?? 80) : null,
    write,
    json: value => write(`${JSON.stringify(value, null, 2)}\n`),
    remark: text => void remarks.write(`${text}\n`),
    progress: total =>
      remarks.isTTY === true && total > 0 ? createBar(remarks, total) : NO_PROGRESS
  }
}

const NO_PROGRESS: ProgressBar = { update: () => undefined, stop: () => undefined }

function createBar(stream: NodeJS.WritableStream, total: number): ProgressBar {
  const bar = new SingleBar(
    {
      stream,
      format: '{bar} {percentage} % | {done}/{all} | {eta_formatted} left',
      hideCursor: true
    },
    Presets.shades_classic
  )
  const all = formatCount(total)
  bar.start(total, 0, { done: 0, all })
  return {
    update: done => bar.update(done, { done: formatCount(done), all }),
    stop: () => bar.stop()
  }
}
