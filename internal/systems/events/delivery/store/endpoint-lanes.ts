/** The schema in which pg-boss keeps the lanes of endpoints. */
export const LANES_SCHEMA = 'event_process_jobs'

/** What a lane's job holds. People read it, and so do senders of earlier versions. */
export function laneData(laneId: string): { readonly endpointId: number } {
  return { endpointId: Number(laneId) }
}
