/** How much the bench of the sender does. */
export interface SenderSizes {
  readonly deliveries: number
  readonly queuedForDead: number
  readonly backlog: number
  readonly steadySeconds: number
}
