/** An intake of events without settings for any client. */
import { admitAll } from '../../engine/intake/admission.js'
import { clientOf } from '../../systems/events/event/event.js'
import { refuseUnstorable } from '../../systems/events/store/refusal.js'

export const EQUAL_CLIENTS = {
  admission: admitAll,
  turns: { lineOf: clientOf, weightOf: () => 1 },
  refuse: refuseUnstorable
}
