/** A record without suspects: no message has ever killed a process. */
import type { SuspectRecord } from '../../engine/intake/suspects.js'

export const NO_SUSPECTS: SuspectRecord = { examining: () => Promise.resolve(), deaths: () => 0 }
