import { ExpectedError } from '../lifecycle/service.js'

/** Why an embedded service cannot start, in one sentence that says what to do. */
export type EmbeddedErrorCode =
  | 'not-installed'
  | 'port-taken'
  | 'no-run-user'
  | 'data-not-ours'
  | 'start-failed'

export class EmbeddedError extends ExpectedError {
  override readonly name = 'EmbeddedError'
  readonly code: EmbeddedErrorCode

  constructor(code: EmbeddedErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
