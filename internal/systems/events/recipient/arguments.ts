/**
 * The command line of the recipient.
 *
 * Shapes  arguments in, a RecipientCommand out. The file of `--secrets` is not read here.
 * Units   `--fail-rate`: percent on the command line, then a share from 0 to 1.
 * Errors  ArgumentsError that names every problem and repeats no secret.
 */

import { ArgumentsError, type Flags, readFlags, readNumber } from '../../../engine/cli/flags.js'
import { parseSecret } from '../delivery/secret.js'

export type RecipientCommand =
  | { readonly kind: 'help' }
  | ({ readonly kind: 'receive' } & RecipientArguments)

export interface RecipientArguments {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly secrets: readonly string[]
  readonly secretsFile: string | null
  readonly answers: Answers
  readonly ledger: string | null
  readonly isQuiet: boolean
}

/** How genuine deliveries are answered. */
export interface Answers {
  readonly status: number
  readonly latencyMs: number
  readonly failures: {
    readonly share: number
    readonly status: number
    readonly retryAfterS: number | null
  }
}

const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_PORT = 8_088
const MAX_LATENCY_MS = 600_000
const MAX_RETRY_AFTER_S = 31_536_000

export const RECIPIENT_HELP = `Receives deliveries, checks their signatures and shows what came:
for developers whose service will receive deliveries.

  node dist/cmd/recipient --secret whsec_...

  --secret A,B       secrets of the endpoint, any of which may have signed;
                     without a secret signatures are not checked
  --secrets FILE     secrets by path, as JSON:
                     {"/hooks": "whsec_...", "/other": ["whsec_...", "whsec_..."]}
  --port N           port to listen on (default ${DEFAULT_PORT}; 0 takes a free one)
  --host ADDRESS     address to listen on (default ${DEFAULT_HOST}; 0.0.0.0 in a container)
  --fail-rate P      percent of deliveries to fail (default 0)
  --status N         status of failed deliveries (default 500); without --fail-rate, of all
  --retry-after S    Retry-After of failed deliveries, in seconds
  --latency MS       wait before each answer (default 0)
  --ledger FILE      record accepted deliveries, one JSON line each; appends to an existing file
  --quiet            no line per delivery

A delivery that fails the check is answered with 401 and the reason. Each delivery is shown on a
line: text on a terminal, JSON elsewhere (LOG_FORMAT=json or pretty overrides this). Ctrl-C stops
it and shows a summary.

Examples
  node dist/cmd/recipient --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
  node dist/cmd/recipient --secrets secrets.json --fail-rate 10 --latency 200
  node dist/cmd/recipient --status 429 --retry-after 30
`

export function parseRecipientArguments(args: readonly string[]): RecipientCommand {
  const flags = readFlags(args, {
    secret: 'text',
    secrets: 'text',
    port: 'text',
    host: 'text',
    'fail-rate': 'text',
    status: 'text',
    'retry-after': 'text',
    latency: 'text',
    ledger: 'text',
    quiet: 'switch',
    help: 'switch'
  })
  const received: RecipientArguments = {
    host: flags.text('host') ?? DEFAULT_HOST,
    port: readNumber(flags, 'port', 0, 65_535) ?? DEFAULT_PORT,
    secrets: readSecrets(flags),
    secretsFile: flags.text('secrets') ?? null,
    answers: readAnswers(flags),
    ledger: flags.text('ledger') ?? null,
    isQuiet: flags.isOn('quiet')
  }
  if (flags.problems.length > 0) throw new ArgumentsError(flags.problems)
  return flags.isOn('help') ? { kind: 'help' } : { kind: 'receive', ...received }
}

function readSecrets(flags: Flags): readonly string[] {
  const secrets = flags.text('secret')?.split(',') ?? []
  for (const [index, secret] of secrets.entries()) {
    const parsed = parseSecret(secret)
    if (parsed.kind === 'refused')
      flags.problems.push(
        `--secret${secrets.length === 1 ? '' : ` number ${index + 1}`}: ${parsed.reason}`
      )
  }
  return secrets
}

function readAnswers(flags: Flags): Answers {
  const percent = readNumber(flags, 'fail-rate', 0, 100, false)
  const status = readNumber(flags, 'status', 200, 599)
  const retryAfterS = readNumber(flags, 'retry-after', 0, MAX_RETRY_AFTER_S) ?? null
  const latencyMs = readNumber(flags, 'latency', 0, MAX_LATENCY_MS, false) ?? 0
  const isFailure = status !== undefined && status >= 300
  const share = percent === undefined ? Number(isFailure) : percent / 100
  if (percent !== undefined && status !== undefined && !isFailure) {
    flags.problems.push(
      `--status is for failed deliveries when --fail-rate is given, but ${status} is not a failure`
    )
  }
  if (retryAfterS !== null && share === 0)
    flags.problems.push('--retry-after needs --fail-rate or a --status that is a failure')
  return {
    status: status === undefined || isFailure ? 200 : status,
    latencyMs,
    failures: { share, status: isFailure ? status : 500, retryAfterS }
  }
}
