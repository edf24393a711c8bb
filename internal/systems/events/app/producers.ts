/**
 * `node dist/cmd/producers`: the fake producers, or the load generator when its options
 * are given.
 */

import { createHelp } from '../../../engine/cli/help-service.js'
import { createRandom } from '../../../engine/cli/random.js'
import { retryUntilDone } from '../../../engine/cluster/retry-until.js'
import type { Environment } from '../../../engine/config/environment.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { ExpectedError, type Service } from '../../../engine/lifecycle/service.js'
import { createLog, type Log } from '../../../engine/observe/log.js'
import { findServices } from '../../../engine/program/services.js'
import { createSqsClient } from '../../../engine/queue/sqs/client.js'
import { openQueue } from '../../../engine/queue/sqs/provision.js'
import { createSqsWriter } from '../../../engine/queue/sqs/writer.js'
import { type ProducersConfig, readProducersConfig } from '../config/config.js'
import {
  type LoadArguments,
  PRODUCERS_HELP,
  parseProducersArguments
} from '../producer/arguments.js'
import { runFakeProducers } from '../producer/fake.js'
import { openLedger } from '../producer/ledger.js'
import { runLoad } from '../producer/load.js'
import { createLoadProgress, describeLoad } from '../producer/progress.js'
import type { SendTarget } from '../producer/send.js'

const LOG_EVERY_MS = 1_000

export function createProducers(env: Environment, args: readonly string[]): Service {
  const command = parseProducersArguments(args)
  if (command.kind === 'help') return createHelp(PRODUCERS_HELP)
  const config = readProducersConfig(env)
  const log = createLog('producers', config.log, process.stdout.isTTY)
  const send = (sender: SendTarget): Promise<void> =>
    command.kind === 'fake' ? runFake(sender, config, log) : runGenerator(sender, command)
  return {
    run: signal => run(config, command.kind === 'fake' ? 3 : command.concurrency, log, signal, send)
  }
}

async function run(
  config: ProducersConfig,
  concurrency: number,
  log: Log,
  signal: AbortSignal,
  send: (sender: SendTarget) => Promise<void>
): Promise<void> {
  const services = await findServices(config.services)
  const sqs = createSqsClient({
    ...services.aws,
    maxSockets: concurrency,
    transport: config.queue.transport
  })
  try {
    const opened = await retryUntilDone('open the queue', () => openQueue(sqs, config.queue), {
      clock,
      random: Math.random,
      signal,
      log
    })
    if (opened === null) return
    for (const note of opened.notes) log.warn(note)
    const queue = createSqsWriter({
      sqs,
      queueUrl: opened.queueUrl,
      onGroupsRefused: () =>
        log.info(
          'this queue has no message groups: sending without them, only the processor gives turns'
        )
    })
    await send({
      queue,
      clock,
      signal,
      jitter: Math.random,
      onProblem: ({ code, entries, retryInMs }) => {
        if (retryInMs === null) log.error({ code, entries }, 'the queue refuses these messages')
        else log.warn({ code, entries, retryInMs: Math.round(retryInMs) }, 'cannot send yet')
      }
    })
    await queue.close()
  } finally {
    sqs.destroy()
  }
}

async function runFake(
  sender: SendTarget,
  { fakeIntervalMs: tickMs }: ProducersConfig,
  log: Log
): Promise<void> {
  let sent = 0
  let loggedAtMs = clock.monotonicMs()
  log.info({ everyMs: tickMs }, 'the fake producers are sending')
  const onSent = (messages: number): void => {
    sent += messages
    if (clock.monotonicMs() - loggedAtMs < LOG_EVERY_MS) return
    loggedAtMs = clock.monotonicMs()
    log.info({ sent }, 'sent')
  }
  await runFakeProducers({ ...sender, random: createRandom(), tickMs, onSent })
  log.info({ sent }, 'stopped')
}

async function runGenerator(sender: SendTarget, load: LoadArguments): Promise<void> {
  const ledger = load.ledger === null ? null : await openLedger(load.ledger, clock)
  const progress = createLoadProgress({ stream: process.stderr, count: load.count, clock })
  try {
    const random = createRandom(load.seed ?? undefined)
    const totals = await runLoad({
      ...load,
      ...sender,
      random,
      ledger,
      onProgress: progress.update
    })
    progress.stop()
    await ledger?.close()
    process.stdout.write(`${describeLoad(totals)}\n`)
    if (totals.refused > 0)
      throw new ExpectedError(
        `The queue refused ${totals.refused} messages for good; the log says why`
      )
  } finally {
    progress.stop()
    await ledger?.close()
  }
}
