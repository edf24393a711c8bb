/** Where pg-boss keeps the lanes of endpoints. */
export const LANES_SCHEMA = 'event_process_jobs'
