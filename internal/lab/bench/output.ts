/** Prints and writes the figures of the bench. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Changes when a field of the JSON file changes its meaning or is removed. */
export const BENCH_SCHEMA = 'event-process-bench/1'

export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

export function jsonFileFor(chosen: string | null, startedAt: Date): string {
  return (
    chosen ??
    join('bench-results', `${startedAt.toISOString().slice(0, 19).replaceAll(':', '-')}.json`)
  )
}

export function writeJson(file: string, document: object): void {
  write(file, `${JSON.stringify(document, null, 2)}\n`)
  say(`Figures: ${file}`)
}

export function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
