/**
 * What a sender's worker reports of its state. Its counters are in its metrics and are
 * added up as they are, so the last second before a kill -9 may miss.
 */
export interface SenderStatus {
  /** Steps that fail at present, each with its reason. */
  readonly problems: readonly string[]
}
