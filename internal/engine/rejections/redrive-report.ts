/** The result of a redrive, of rejections or of dead letters. */
import type { Output } from '../cli/output.js'
import { formatCount } from '../cli/terminal-text.js'

/** A message that was not sent, and the queue's reason. */
export interface Unsent {
  readonly queueMessageId: string
  readonly code: string
}

/** What became of the messages of one call. */
export interface Resent {
  /** Queue message ids of the messages sent. */
  readonly sent: readonly string[]
  /** The queue will never take these. */
  readonly refused: readonly Unsent[]
  /** These may be taken later. */
  readonly failed: readonly Unsent[]
}

export interface RedriveResult {
  readonly sent: number
  /** Messages that the queue will never take; they stay where they are. */
  readonly refused: readonly Unsent[]
  /** The queue's code if the redrive ended early, else null. */
  readonly failedCode: string | null
  readonly isInterrupted: boolean
}

/** Nothing went wrong. */
export const isWhole = ({ refused, failedCode, isInterrupted }: RedriveResult): boolean =>
  refused.length === 0 && failedCode === null && !isInterrupted

const EXAMPLES = 5

export function tellRedrive(
  output: Output,
  { sent, refused, failedCode, isInterrupted }: RedriveResult,
  done: string
): void {
  output.remark(`${formatCount(sent)} ${done}`)
  if (refused.length > 0) {
    output.remark(`${formatCount(refused.length)} cannot be sent and stay where they are:`)
    for (const { queueMessageId, code } of refused.slice(0, EXAMPLES))
      output.remark(`  ${queueMessageId}  ${code}`)
    if (refused.length > EXAMPLES)
      output.remark(`  and ${formatCount(refused.length - EXAMPLES)} more`)
  }
  if (failedCode !== null)
    output.remark(
      `The queue takes no more (${failedCode}). Run the same command again to continue.`
    )
  if (isInterrupted) output.remark('Interrupted. Run the same command again to continue.')
}
