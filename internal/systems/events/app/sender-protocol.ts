/**
 * What a sender's worker reports of its state. Its counters are sent as metrics and added
 * up; a kill -9 may lose those of the last second.
 */
export interface SenderStatus {
  /** Steps that are failing now, each with its reason. */
  readonly problems: readonly string[]
}
