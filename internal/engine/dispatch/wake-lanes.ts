import type { ClientBase } from 'pg'

/**
 * Wakes these lanes in the transaction of `client`: a rollback takes the notes back too.
 */
export type WakeLanes = (
  client: Pick<ClientBase, 'query'>,
  laneIds: readonly string[]
) => Promise<void>
