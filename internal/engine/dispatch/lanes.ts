/**
 * The port to lanes: which process works on which lane.
 *
 * A lane is a line of duties that one process at a time works on. Waking a lane leaves a
 * note, one per lane however often it is woken. Only the process that claims the note
 * works on that lane, for as long as it renews its claim. The lane of a process that died
 * can be claimed again after a while.
 *
 * Errors  StoreError.
 */
export interface ClaimedLane {
  readonly laneId: string
}

export interface Lanes {
  claim(max: number): Promise<readonly ClaimedLane[]>
  /** Says that the lanes are still being worked on, and returns those that were lost. */
  renew(lanes: readonly ClaimedLane[]): Promise<readonly ClaimedLane[]>
  /** Gives the lane up; `wakeAgain` leaves a new note, behind those of the others. */
  release(lane: ClaimedLane, wakeAgain: boolean): Promise<void>
  close(): Promise<void>
}
