/**
 * The command line of verify.
 *
 * Errors  ArgumentsError that names every problem.
 */
import { ArgumentsError, readFlags, readNumber } from '../../../engine/cli/flags.js'

export type VerifyCommand =
  | { readonly kind: 'help' }
  | ({ readonly kind: 'verify' } & VerifyArguments)

export interface VerifyArguments {
  readonly ledger: string
  readonly isJson: boolean
  readonly waitMs: number
  /** Address of `/metrics`; null: metrics are not compared. */
  readonly metrics: string | null
}

const MAX_WAIT_S = 86_400

export const VERIFY_HELP = `Looks for every event of a ledger in the tables and the queues.

  node dist/cmd/verify --ledger FILE [options]

  --ledger FILE   what node dist/cmd/producers --ledger FILE wrote
  --json          the report as JSON
  --wait S        wait up to S seconds until the queue is drained and every event is accounted
                  for (default 0)
  --metrics URL   also compare the processor's totals with the rows of the tables; they are
                  equal only if the tables were empty when the processor started

Exit code 0: no event lost or altered, no duplicate row, no wrong decision. Otherwise 1.

Example
  node dist/cmd/verify --ledger ledger.ndjson --wait 60 --metrics http://127.0.0.1:9464/metrics
`

export function parseVerifyArguments(args: readonly string[]): VerifyCommand {
  const flags = readFlags(args, {
    ledger: 'text',
    json: 'switch',
    wait: 'text',
    metrics: 'text',
    help: 'switch'
  })
  const ledger = flags.text('ledger')
  const metrics = flags.text('metrics') ?? null
  const waitS = readNumber(flags, 'wait', 0, MAX_WAIT_S, false) ?? 0
  if (ledger === undefined && !flags.isOn('ledger') && !flags.isOn('help'))
    flags.problems.push('--ledger FILE is missing')
  if (metrics !== null && metrics !== '' && !metrics.startsWith('--') && !isHttpUrl(metrics)) {
    flags.problems.push(`--metrics must be an http(s) address, not ${JSON.stringify(metrics)}`)
  }
  if (flags.problems.length > 0) throw new ArgumentsError(flags.problems)
  return flags.isOn('help')
    ? { kind: 'help' }
    : {
        kind: 'verify',
        ledger: ledger ?? '',
        isJson: flags.isOn('json'),
        waitMs: waitS * 1000,
        metrics
      }
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)
}
