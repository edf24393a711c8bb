/**
 * The command line of soak.
 *
 * Errors  ArgumentsError naming every mistake at once.
 */
import { ArgumentsError, readFlags, readNumber } from '../../engine/cli/flags.js'

export type SoakCommand = { readonly kind: 'help' } | ({ readonly kind: 'run' } & SoakArguments)

export interface SoakArguments {
  readonly minutes: number
  readonly workers: number
  readonly jsonFile: string | null
}

const DEFAULT_MINUTES = 60
/** A shorter run would show only the start. */
const MIN_MINUTES = 0.1
const MAX_MINUTES = 10_080
const MAX_WORKERS = 64

export const SOAK_HELP = `Keeps the processor at 70 % of its rate, and checks that memory, handles and latency
stay stable.

  npm run soak -- --minutes 60

  --minutes N    how long, from ${MIN_MINUTES} (default ${DEFAULT_MINUTES})
  --workers N    workers of the processor (default 2)
  --json FILE    samples, figures and verdict as JSON

First it measures how many events per second producers and processor sustain together. Then it
sends 70 % of that, with 10 % duplicates and 5 % invalid events. Every 5 s it reads memory, open
handles, event loop stalls and latency. Rows older than 45 s are deleted throughout, so that the
table keeps its size; rejections stay. PostgreSQL and queue are its own, below DATA_DIR/soak.

The first sixth of the time (at least a minute, at most a third) is warm-up and does not count.
The goals for the rest:
  memory     each worker's RSS grows by less than 1 MiB per 10 minutes (slope by least squares)
  handles    their peak in the last third is at most 2 above that in the first third
  latency    p99 from sent to committed is less than 10 % higher in the last third than in the first
  counts     every event is stored, recognised as a duplicate, or rejected

Exit code 0 when all goals are met, otherwise 1.
`

export function parseSoakArguments(args: readonly string[]): SoakCommand {
  const flags = readFlags(args, { minutes: 'text', workers: 'text', json: 'text', help: 'switch' })
  const minutes = readNumber(flags, 'minutes', MIN_MINUTES, MAX_MINUTES, false) ?? DEFAULT_MINUTES
  const workers = readNumber(flags, 'workers', 1, MAX_WORKERS) ?? 2
  if (flags.problems.length > 0) throw new ArgumentsError(flags.problems)
  return flags.isOn('help')
    ? { kind: 'help' }
    : { kind: 'run', minutes, workers, jsonFile: flags.text('json') ?? null }
}
