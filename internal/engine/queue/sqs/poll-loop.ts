/**
 * Receives from SQS: one sqs-consumer per poller, of which only the loop is used.
 *
 * Before each receive a poller waits for the end of its backoff, its turn (pollers.ts)
 * and admission. Messages are handed over at once, so that the next receive does not wait
 * for them. Settling happens elsewhere.
 *
 * A stop starts no further receive. Young receives may be on their way back with
 * messages, which SQS has counted as received and would hold for a whole visibility
 * timeout: they get a moment, and their messages are given back. Older ones wait at an
 * empty queue and are cut off.
 *
 * Units   waits in whole seconds as SQS counts them, delays in milliseconds.
 * Errors  a failed receive goes to `onError` and delays this poller's next one; receives
 *         that we cut off are not reported.
 * Source  sqs-consumer 15.0.3: a handler that returns [] deletes nothing. After most
 *         errors it polls again at once, after some AWS errors it pauses for ten seconds.
 *         `send` rejects with QueueError, which it does not know, so the only backoff is
 *         ours.
 */
import type {
  Message,
  ReceiveMessageCommand,
  ReceiveMessageCommandOutput,
  SQSClient
} from '@aws-sdk/client-sqs'
import { Consumer } from 'sqs-consumer'
import type { Clock } from '../../lifecycle/clock.js'
import { delay, unlessAborted } from '../../lifecycle/interrupt.js'
import { backoffMs } from '../../retry/backoff.js'
import { QueueError, type Receipt, type ReceiveOptions, type Receiving } from '../queue.js'
import { asQueueError } from './aws-error.js'
import { CALL_DEADLINE_MS, type SqsSender, withDeadline } from './call.js'
import { BATCH_ENTRIES } from './limits.js'
import { createPollers } from './pollers.js'
import { MESSAGE_ATTRIBUTES, SYSTEM_ATTRIBUTES, toReceived } from './received.js'

export interface PollingSetup {
  readonly sqs: SqsSender
  readonly queueUrl: string
  readonly pollers: number
  readonly visibilityTimeoutS: number
  readonly waitTimeS: number
  readonly clock: Clock
  readonly random: () => number
  /** Makes messages visible again; must not reject. */
  readonly giveBack: (receipts: readonly Receipt[]) => Promise<void>
}

const RETRY = { baseMs: 100, maxMs: 10_000 }
/** Longer than SQS needs to answer a receive for which it has messages. */
const STOP_GRACE_MS = 250

export function startPolling(setup: PollingSetup, options: ReceiveOptions): Receiving {
  const { clock, random } = setup
  const deadlineMs = setup.waitTimeS * 1_000 + CALL_DEADLINE_MS
  const pollers = createPollers(setup.pollers)
  /** No receive starts and nothing is delivered any more. */
  const ended = new AbortController()
  /** Receives under way are cut off. */
  const cut = new AbortController()
  let roundsUnderWay = 0
  let lastReceiveAtMs = -Infinity
  let onAllEnded: () => void = () => undefined

  const giveBack = (messages: readonly Message[]): Promise<void> =>
    setup.giveBack(
      messages.map(({ MessageId: id = '', ReceiptHandle: token = '' }) => ({
        id,
        token
      }))
    )

  const startPoller = (poller: number): Consumer => {
    let failures = 0
    let retryInMs = 0

    const fail = (error: unknown): void => {
      if (ended.signal.aborted) return
      failures++
      pollers.received(poller, 0)
      retryInMs = backoffMs(failures, RETRY, random)
      options.onError(asQueueError(error))
    }

    const waitForTurn = async (): Promise<void> => {
      roundsUnderWay++
      if (retryInMs > 0) await delay(clock, retryInMs, ended.signal)
      retryInMs = 0
      await pollers.turn(poller)
      if (!ended.signal.aborted) await unlessAborted(options.admit(), ended.signal)
      // The only way to keep sqs-consumer from its receive; `fail` does not report it.
      if (ended.signal.aborted) throw new QueueError('ABORT_ERR', 'polling has ended')
    }

    const send = async (command: ReceiveMessageCommand): Promise<ReceiveMessageCommandOutput> => {
      lastReceiveAtMs = clock.monotonicMs()
      const answer = await withDeadline(
        clock,
        deadlineMs,
        signal => {
          const sent = setup.sqs.send(command, { abortSignal: signal })
          // A client that ignores the signal may answer when nobody listens any more.
          const late = (output: ReceiveMessageCommandOutput) =>
            signal.aborted ? giveBack(output.Messages ?? []) : undefined
          sent.then(late, () => undefined)
          return sent
        },
        cut.signal
      )
      failures = 0
      pollers.received(poller, answer.Messages?.length ?? 0)
      if (!ended.signal.aborted) options.onReceive()
      return answer
    }

    const handOver = async (messages: Message[]): Promise<Message[]> => {
      if (ended.signal.aborted) await giveBack(messages)
      else {
        try {
          options.deliver(messages.map(message => toReceived(message, clock)))
        } catch (error) {
          fail(error)
        }
      }
      return []
    }

    const endRound = (): void => {
      roundsUnderWay--
      if (roundsUnderWay === 0) onAllEnded()
    }

    const consumer = Consumer.create({
      queueUrl: setup.queueUrl,
      sqs: { send } as unknown as SQSClient,
      batchSize: BATCH_ENTRIES,
      waitTimeSeconds: setup.waitTimeS,
      visibilityTimeout: setup.visibilityTimeoutS,
      messageSystemAttributeNames: SYSTEM_ATTRIBUTES,
      messageAttributeNames: MESSAGE_ATTRIBUTES,
      shouldDeleteMessages: false,
      preReceiveMessageCallback: waitForTurn,
      handleMessageBatch: handOver
    })
    // Each round ends with exactly one of these three.
    consumer.on('response_processed', endRound)
    consumer.on('empty', endRound)
    consumer.on('error', error => {
      endRound()
      fail(error)
    })
    consumer.start()
    return consumer
  }

  const consumers = Array.from({ length: setup.pollers }, (_, poller) => startPoller(poller))

  async function end(): Promise<void> {
    const allEnded = new Promise<void>(resolve => {
      onAllEnded = resolve
    })
    ended.abort()
    pollers.stop()
    for (const consumer of consumers) consumer.stop()
    if (roundsUnderWay === 0) return
    const graceMs = lastReceiveAtMs + STOP_GRACE_MS - clock.monotonicMs()
    if (graceMs > 0) {
      const grace = new AbortController()
      void allEnded.then(() => grace.abort())
      await delay(clock, graceMs, grace.signal)
    }
    cut.abort()
    await allEnded
  }

  let stopping: Promise<void> | null = null
  return {
    stop() {
      stopping ??= end()
      return stopping
    }
  }
}
