/**
 * What `main` runs: a program that works until it is told to stop, and then ends in
 * order.
 */
export interface Service {
  /**
   * Works until `signal` aborts (or the work is done), then drains and resolves. Rejects
   * when it cannot go on.
   */
  run(signal: AbortSignal): Promise<void>
}

/** A failure that its message explains completely: shown without a stack trace. */
export class ExpectedError extends Error {
  override readonly name: string = 'ExpectedError'
}
