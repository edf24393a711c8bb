/**
 * `node dist/cmd/recipient`: a recipient to try deliveries with. It shows each delivery,
 * and a summary at its end.
 */

import { createHelp } from '../../../engine/cli/help-service.js'
import { type Environment, readRightValues } from '../../../engine/config/environment.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { onAbort } from '../../../engine/lifecycle/interrupt.js'
import type { Service } from '../../../engine/lifecycle/service.js'
import { LOG_SETTINGS } from '../../../engine/observe/settings.js'
import { openLedger } from '../producer/ledger.js'
import { parseRecipientArguments, RECIPIENT_HELP, type RecipientArguments } from './arguments.js'
import { createArrivals, describeArrivals } from './arrivals.js'
import { formatReceived, type RecipientLedgerEntry } from './delivery.js'
import { createVerifier, readSecretsFile } from './secrets.js'
import { startRecipientServer } from './server.js'

export function createRecipient(env: Environment, args: readonly string[]): Service {
  const command = parseRecipientArguments(args)
  if (command.kind === 'help') return createHelp(RECIPIENT_HELP)
  const { LOG_FORMAT: format } = readRightValues(LOG_SETTINGS.settings, env)
  const isPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY)
  return { run: signal => run(command, isPretty, signal) }
}

async function run(
  { host, port, secrets, secretsFile, answers, ledger, isQuiet }: RecipientArguments,
  isPretty: boolean,
  signal: AbortSignal
): Promise<void> {
  // If the reader of our output leaves, deliveries are still received.
  process.stdout.on('error', () => undefined)
  const say = (text: string, fields: object): void =>
    void process.stdout.write(isPretty ? `${text}\n` : `${JSON.stringify(fields)}\n`)
  const verifier = createVerifier(
    secrets,
    secretsFile === null ? new Map() : readSecretsFile(secretsFile)
  )
  const arrivals = createArrivals()
  const writer = ledger === null ? null : await openLedger<RecipientLedgerEntry>(ledger, clock)
  let fail: (error: unknown) => void = () => undefined
  const ended = new Promise<void>((resolve, reject) => {
    fail = reject
    onAbort(signal, resolve)
  })
  try {
    const recipient = await startRecipientServer({
      host,
      port,
      answers,
      verifier,
      arrivals,
      clock,
      random: Math.random,
      record: writer === null ? null : entry => writer.append([entry]),
      onDelivery: isQuiet
        ? null
        : delivery => void process.stdout.write(`${formatReceived(delivery, isPretty)}\n`),
      onFailure: error => fail(error)
    })
    const checks = verifier.isChecking
      ? 'checking signatures'
      : "not checking signatures: give the endpoint's secret with --secret"
    say(`listening on ${recipient.origin}, ${checks}`, {
      msg: 'listening',
      url: recipient.origin,
      checking: verifier.isChecking
    })
    try {
      await ended
    } finally {
      await recipient.close()
      say(describeArrivals(arrivals.totals()), { msg: 'summary', ...arrivals.totals() })
    }
  } finally {
    await writer?.close()
  }
}
