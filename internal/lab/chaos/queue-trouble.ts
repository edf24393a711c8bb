/**
 * Decides what a trouble of the queue means for one call; queue-proxy.ts carries it out.
 *
 * Shapes  the operation and a random number per decision in, a CallTrouble out; no I/O.
 * Source  Amazon SQS API reference, "Common Error Types"; batch entries fail one by one
 *         inside an HTTP 200.
 */
export type Trouble =
  | { readonly kind: 'errors'; readonly status: number; readonly code: string }
  | { readonly kind: 'lost-answers'; readonly share: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'partial-deletes'; readonly share: number }
  | { readonly kind: 'no-heartbeat' }

export type CallTrouble =
  | 'pass'
  | 'lose-answer'
  | 'hang'
  | 'fail-entries'
  | { readonly status: number; readonly code: string }

const INTERNAL = { status: 500, code: 'InternalError' } as const

export function judgeCall(
  trouble: Trouble | null,
  operation: string,
  random: () => number
): CallTrouble {
  switch (trouble?.kind) {
    case undefined:
      return 'pass'
    case 'errors':
      return trouble
    case 'lost-answers':
      return random() < trouble.share ? 'lose-answer' : 'pass'
    case 'hang':
      return 'hang'
    case 'partial-deletes':
      return operation === 'DeleteMessageBatch' ? 'fail-entries' : 'pass'
    case 'no-heartbeat':
      return operation === 'ChangeMessageVisibilityBatch' ? INTERNAL : 'pass'
  }
}

export interface BatchEntry {
  readonly Id: string
  readonly ReceiptHandle: string
}

export interface BatchAnswer {
  readonly Successful?: readonly { readonly Id: string }[]
  readonly Failed?: readonly object[]
}

/**
 * Picks the entries to fail. Those in `reported` take effect although the answer says
 * otherwise, as after an internal retry.
 */
export function pickFailing(entries: readonly BatchEntry[], share: number, random: () => number) {
  const failing = entries.filter(() => random() < share)
  const dropped = failing.filter(() => random() < 0.5)
  return { failing, forwarded: entries.filter(entry => !dropped.includes(entry)) }
}

/** The queue's answer with `failing` reported as failed. */
export function withFailures(answer: BatchAnswer, failing: readonly BatchEntry[]): BatchAnswer {
  const ids = new Set(failing.map(({ Id }) => Id))
  const failed = failing.map(({ Id }) => ({
    Id,
    Code: 'InternalError',
    SenderFault: false,
    Message: 'try again'
  }))
  return {
    Successful: (answer.Successful ?? []).filter(({ Id }) => !ids.has(Id)),
    Failed: [...(answer.Failed ?? []), ...failed]
  }
}
