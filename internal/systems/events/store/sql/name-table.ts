/** The tables of the names that events may have. */
export type NameTable = 'client' | 'event_type'
