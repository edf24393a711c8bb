/**
 * All hostile bodies: what a producer may send by mistake or on purpose, each with its
 * only correct outcome.
 */
import type { HostileBody } from './hostile-body.js'
import { NAMES } from './names.js'
import { NOT_JSON } from './not-json.js'
import { HOSTILE_PAYLOADS } from './payloads.js'
import { SCHEMAS } from './schemas.js'
import { SHAPES } from './shapes.js'

export const HOSTILE_BODIES: readonly HostileBody[] = [
  ...NOT_JSON,
  ...SHAPES,
  ...NAMES,
  ...HOSTILE_PAYLOADS,
  ...SCHEMAS
]
