/**
 * The command line of the producers. Without arguments they are the fake producers; any
 * load option makes them the load generator.
 *
 * Shapes  arguments in, a ProducersCommand out.
 * Units   `duplicates` and `invalid`: percent on the command line, then shares (0 to 1).
 * Errors  ArgumentsError that names every problem.
 */

import {
  ArgumentsError,
  type FlagKinds,
  type Flags,
  readFlags,
  readNumber
} from '../../../engine/cli/flags.js'
import { MAX_BODY_BYTES } from '../event/contract.js'
import { DEFAULT_BODY_BYTES, DEFAULT_CLIENTS } from './events.js'

export type ProducersCommand =
  | { readonly kind: 'help' }
  | { readonly kind: 'fake' }
  | ({ readonly kind: 'load' } & LoadArguments)

export interface LoadArguments {
  /** Null: until the program is stopped. */
  readonly count: number | null
  /** Null: as fast as the queue takes them. */
  readonly ratePerSecond: number | null
  readonly concurrency: number
  readonly duplicates: number
  readonly invalid: number
  readonly ledger: string | null
  readonly clients: readonly string[]
  readonly bodyBytes: number
  readonly seed: string | null
}

const LOAD_FLAGS: FlagKinds = {
  count: 'text',
  rate: 'text',
  concurrency: 'text',
  duplicates: 'text',
  invalid: 'text',
  ledger: 'text',
  clients: 'text',
  'body-bytes': 'text',
  seed: 'text'
}
const MAX_CONCURRENCY = 1_000
/** About the size of the fields around the payload. */
const MIN_BODY_BYTES = 256

export const PRODUCERS_HELP = `Sends events to the queue.

  node dist/cmd/producers                       three fake producers until Ctrl-C: one event each
                                                every PRODUCERS_FAKE_TIMEOUT ms, sometimes a bad body
  node dist/cmd/producers --count N [options]   load generator

  --count N          messages to send in all (default: until Ctrl-C)
  --rate N           messages per second (default: as fast as the queue takes them)
  --concurrency N    concurrent send calls, 10 messages each (default 8)
  --duplicates P     percent of messages that repeat an earlier event and its id (default 0)
  --invalid P        percent of messages that must be rejected, of many kinds (default 0)
  --ledger FILE      record what the queue accepted, for node dist/cmd/verify;
                     appends to an existing file
  --clients A,B      clients to send for, in turn (default ${DEFAULT_CLIENTS.join(',')})
  --body-bytes N     body size of valid messages, at least ${MIN_BODY_BYTES} (default ${DEFAULT_BODY_BYTES})
  --seed TEXT        the same seed makes the same messages, event ids included

Examples
  node dist/cmd/producers --count 100000 --duplicates 10 --invalid 5 --ledger ledger.ndjson
  node dist/cmd/producers --rate 100 --clients client-1
  node dist/cmd/producers --count 1000 --body-bytes 100000 --seed monday
`

export function parseProducersArguments(args: readonly string[]): ProducersCommand {
  const flags = readFlags(args, { ...LOAD_FLAGS, help: 'switch' })
  const load = readLoad(flags)
  if (flags.problems.length > 0) throw new ArgumentsError(flags.problems)
  if (flags.isOn('help')) return { kind: 'help' }
  return args.length === 0 ? { kind: 'fake' } : { kind: 'load', ...load }
}

function readLoad(flags: Flags): LoadArguments {
  const duplicates = readShare(flags, 'duplicates')
  const invalid = readShare(flags, 'invalid')
  if (duplicates + invalid > 1)
    flags.problems.push('--duplicates and --invalid together must not exceed 100')
  return {
    count: readNumber(flags, 'count', 1, Number.MAX_SAFE_INTEGER) ?? null,
    ratePerSecond: readNumber(flags, 'rate', 0.001, 1_000_000, false) ?? null,
    concurrency: readNumber(flags, 'concurrency', 1, MAX_CONCURRENCY) ?? 8,
    duplicates,
    invalid,
    ledger: flags.text('ledger') ?? null,
    clients: readClients(flags),
    bodyBytes:
      readNumber(flags, 'body-bytes', MIN_BODY_BYTES, MAX_BODY_BYTES) ?? DEFAULT_BODY_BYTES,
    seed: flags.text('seed') ?? null
  }
}

function readShare(flags: Flags, name: string): number {
  const text = flags.text(name)
  const plain: Flags = { ...flags, text: () => text?.replace(/%$/, '') }
  return (readNumber(plain, name, 0, 100, false) ?? 0) / 100
}

function readClients(flags: Flags): readonly string[] {
  const text = flags.text('clients')
  if (text === undefined) return DEFAULT_CLIENTS
  const names = text.split(',').map(name => name.trim())
  if (names.includes(''))
    flags.problems.push(`--clients must be names separated by commas, not ${JSON.stringify(text)}`)
  return names
}
