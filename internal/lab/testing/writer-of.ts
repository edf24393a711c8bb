/** A writer with SQS's limits that sends as the test says. */
import type { QueueWriter } from '../../engine/queue/queue.js'
import { refusalOf, SQS_SEND_LIMITS } from '../../engine/queue/sqs/limits.js'

export const writerOf = (send: QueueWriter['send']): QueueWriter => ({
  limits: SQS_SEND_LIMITS,
  takes: message => refusalOf(message) === null,
  send,
  close: () => Promise.resolve()
})
