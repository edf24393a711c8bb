/**
 * One call to the queue, with an end: a connection that hangs must not hold a poller or a
 * settle slot for ever.
 *
 * Units   milliseconds.
 * Errors  always QueueError: the call's own, `ETIMEDOUT` at the deadline, `ABORT_ERR`
 *         when the caller cut it off.
 */
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { Clock } from '../../lifecycle/clock.js'
import { QueueError } from '../queue.js'
import { asQueueError } from './aws-error.js'

/** What of an SQSClient is used: any transport that answers its commands will do. */
export type SqsSender = Pick<SQSClient, 'send'>

export const CALL_DEADLINE_MS = 10_000

/**
 * Runs `call` until it ends, `deadlineMs` are over or `cut` is aborted; the signal that
 * it gets tells it about the last two.
 */
export function withDeadline<T>(
  clock: Clock,
  deadlineMs: number,
  call: (signal: AbortSignal) => Promise<T>,
  cut: AbortSignal | null = null
): Promise<T> {
  const controller = new AbortController()
  return new Promise((resolve, reject) => {
    const abandon = (error: QueueError) => {
      release()
      // Rejected here and not by the call: some waits inside a client (a free socket,
      // credentials) do not heed the signal.
      reject(error)
      controller.abort(error)
    }
    const onCut = () => abandon(new QueueError('ABORT_ERR', 'the call was cut off'))
    const cancel = clock.after(deadlineMs, () =>
      abandon(new QueueError('ETIMEDOUT', `no answer within ${deadlineMs} ms`))
    )
    const release = () => {
      cancel()
      cut?.removeEventListener('abort', onCut)
    }
    if (cut?.aborted === true) {
      onCut()
      return
    }
    cut?.addEventListener('abort', onCut, { once: true })
    call(controller.signal).then(
      answer => {
        release()
        resolve(answer)
      },
      (error: unknown) => {
        release()
        reject(asQueueError(error))
      }
    )
  })
}
