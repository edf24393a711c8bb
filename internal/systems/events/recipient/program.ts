/**
 * `node dist/cmd/receiver`: a recipient to try deliveries with; shows each of them, and
 * at its end what came.
 */

import { createHelp } from '../../../engine/cli/help-service.js'
import { ConfigError, type Environment, readValues } from '../../../engine/config/environment.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { onAbort } from '../../../engine/lifecycle/interrupt.js'
import type { Service } from '../../../engine/lifecycle/service.js'
import { openLedger } from '../producer/ledger.js'
import { parseReceiverArguments, RECEIVER_HELP, type ReceiverArguments } from './arguments.js'
import { formatDelivery, type ReceiverLedgerEntry } from './delivery.js'
import { createVerifier, readSecretsFile } from './secrets.js'
import { startReceiver } from './server.js'
import { createTally, describeTotals } from './tally.js'

export function createReceiver(env: Environment, args: readonly string[]): Service {
  const command = parseReceiverArguments(args)
  if (command.kind === 'help') return createHelp(RECEIVER_HELP)
  const { values, problems } = readValues(env)
  if (problems.length > 0) throw new ConfigError(problems)
  const isPretty =
    values.LOG_FORMAT === 'pretty' || (values.LOG_FORMAT === 'auto' && process.stdout.isTTY)
  return { run: signal => run(command, isPretty, signal) }
}

async function run(
  { host, port, secrets, secretsFile, answers, ledger, isQuiet }: ReceiverArguments,
  isPretty: boolean,
  signal: AbortSignal
): Promise<void> {
  // Who reads our lines may stop reading; what comes is received all the same.
  process.stdout.on('error', () => undefined)
  const say = (text: string, fields: object): void =>
    void process.stdout.write(isPretty ? `${text}\n` : `${JSON.stringify(fields)}\n`)
  const verifier = createVerifier(
    secrets,
    secretsFile === null ? new Map() : readSecretsFile(secretsFile)
  )
  const tally = createTally()
  const writer = ledger === null ? null : await openLedger<ReceiverLedgerEntry>(ledger, clock)
  let fail: (error: unknown) => void = () => undefined
  const ended = new Promise<void>((resolve, reject) => {
    fail = reject
    onAbort(signal, resolve)
  })
  try {
    const receiver = await startReceiver({
      host,
      port,
      answers,
      verifier,
      tally,
      clock,
      random: Math.random,
      record: writer === null ? null : entry => writer.append([entry]),
      onDelivery: isQuiet
        ? null
        : delivery => void process.stdout.write(`${formatDelivery(delivery, isPretty)}\n`),
      onFailure: error => fail(error)
    })
    const checks = verifier.isChecking
      ? 'checking signatures'
      : 'checking no signatures: give the secret of the endpoint with --secret'
    say(`listening on ${receiver.origin}, ${checks}`, {
      msg: 'listening',
      url: receiver.origin,
      checking: verifier.isChecking
    })
    try {
      await ended
    } finally {
      await receiver.close()
      say(describeTotals(tally.totals()), { msg: 'summary', ...tally.totals() })
    }
  } finally {
    await writer?.close()
  }
}
