/**
 * The command line of soak.
 *
 * Errors  ArgumentsError naming everything that is wrong at once.
 */
import { ArgumentsError, readFlags, readNumber } from '../../engine/cli/flags.js'

export type SoakCommand = { readonly kind: 'help' } | ({ readonly kind: 'run' } & SoakArguments)

export interface SoakArguments {
  readonly minutes: number
  readonly workers: number
  readonly jsonFile: string | null
}

const DEFAULT_MINUTES = 60
/** Below that there is nothing to see but the start. */
const MIN_MINUTES = 0.1
const MAX_MINUTES = 10_080
const MAX_WORKERS = 64

export const SOAK_HELP = `Keeps the processor at 70 % of what it can do, and watches whether it stays as it is.

  npm run soak -- --minutes 60

  --minutes N    how long, from ${MIN_MINUTES} (default ${DEFAULT_MINUTES})
  --workers N    workers of the processor (default 2)
  --json FILE    samples, figures and verdict as JSON

First it measures how many events per second producers and processor together sustain, then it sends 70 %
of that, 10 % duplicates and 5 % invalid ones among them. Each 5 s it looks at memory, open handles, event
loops and latency. Rows that are older than 45 s are deleted all the time, so that the table stays as large
as it is; rejections stay. PostgreSQL and queue are its own, below DATA_DIR/soak.

The first sixth of the time, at least a minute and at most a third, is warming up and counts for nothing. Of the rest:
  memory     slope of each worker's RSS by least squares, less than 1 MiB per 10 minutes
  handles    the most at once in the last third at most 2 above that of the first
  latency    p99 from sent to committed, last third against first third, less than 10 % higher
  counts     every event stored, recognised as duplicate, or rejected

Exit code 0 when all of it holds, otherwise 1.
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
