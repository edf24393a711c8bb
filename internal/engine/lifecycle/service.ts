/** What `main` runs: it works until asked to stop, then shuts down in order. */
export interface Service {
  /**
   * Works until `signal` aborts (or the work is done), then drains and resolves. Rejects
   * when it cannot go on.
   */
  run(signal: AbortSignal): Promise<void>
}

/** A failure that its message explains fully, so it is shown without a stack. */
export class ExpectedError extends Error {
  override readonly name: string = 'ExpectedError'
}
