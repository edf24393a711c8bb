/**
 * The list of systems, one line each. A system's own `system.ts` is small: importing this
 * list loads no system.
 */
import type { System } from '../engine/program/system.js'
import { EVENTS } from './events/system.js'

export const SYSTEMS: readonly System[] = [EVENTS]
