/**
 * A worker's world in which nothing is set for any client, so that nothing is sent again.
 */

import type { ClientRules } from '../../systems/events/quota/client-rules.js'
import { writerOf } from './writer-of.js'

const clients: ClientRules = { weightOf: () => 1, hasQuotas: false, quotaOf: () => null }
const writer = writerOf(() => Promise.reject(new Error('nothing is to be sent')))

export const EQUAL_CLIENTS = { clients, writer }
