/**
 * One call to the queue, with a deadline: a hanging connection must not hold a poller or
 * a settle slot for ever.
 *
 * Units   milliseconds.
 * Errors  always QueueError: the call's own, `ETIMEDOUT` at the deadline, `ABORT_ERR`
 *         when the caller cut it off.
 */
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { Clock } from '../../lifecycle/clock.js'
import { QueueError } from '../queue.js'
import { asQueueError } from './aws-error.js'

/** The part of an SQSClient in use; any transport that answers its commands will do. */
export type SqsSender = Pick<SQSClient, 'send'>

export const CALL_DEADLINE_MS = 10_000

/**
 * Runs `call` until it ends, `deadlineMs` are over or `cut` aborts. In the last two cases
 * the signal passed to it aborts.
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
      // Reject here rather than through the call: some waits inside a client (for a free
      // socket, for credentials) ignore the signal.
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
