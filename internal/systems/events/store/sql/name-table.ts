/** The tables whose rows say which names events may bear. */
export type NameTable = 'client' | 'event_type'
