/**
 * The port to lanes: who works for which endpoint.
 *
 * A lane is one endpoint's turn. Calling it leaves a note, one per endpoint however often
 * it is called; whoever takes the note works for that endpoint alone, as long as it keeps
 * the lane. A lane whose process died is handed out again after a while.
 *
 * Errors  StoreError.
 */
export interface Lane {
  readonly endpointId: number
}

export interface Lanes {
  take(max: number): Promise<readonly Lane[]>
  /**
   * Says that the lanes are still being worked on; those that are no longer ours come
   * back.
   */
  keep(lanes: readonly Lane[]): Promise<readonly Lane[]>
  /** Gives the lane up; `callAgain` leaves a new note behind the others'. */
  leave(lane: Lane, callAgain: boolean): Promise<void>
  close(): Promise<void>
}
