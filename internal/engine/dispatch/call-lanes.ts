import type { ClientBase } from 'pg'

/** Leaves the notes for these endpoints' lanes, in the transaction of `client`. */
export type CallLanes = (client: ClientBase, endpointIds: readonly number[]) => Promise<void>
