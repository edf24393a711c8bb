/** Where pg-boss keeps the lanes of endpoints. */
export const LANES_SCHEMA = 'event_process_jobs'

/** What a lane's job holds: people read it, and the senders of earlier versions. */
export function laneData(laneId: string): { readonly endpointId: number } {
  return { endpointId: Number(laneId) }
}
