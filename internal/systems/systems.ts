/**
 * The table of contents: one line per system. What a line says is in the system's own
 * `system.ts`, which is small: whoever reads this list loads no system.
 */
import type { System } from '../engine/program/system.js'
import { EVENTS } from './events/system.js'

export const SYSTEMS: readonly System[] = [EVENTS]
