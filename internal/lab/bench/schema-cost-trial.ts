/**
 * A thread of schema-cost.ts: how long the first check of a payload with a new schema
 * takes.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { compileSchema } from '../../systems/events/schemas/schema-compiler.js'
import type { CostTrial } from './schema-cost.js'

const { schema, payload } = workerData as CostTrial
const outcome = compileSchema(JSON.parse(schema))
if (outcome.kind === 'problem') throw new Error(`${outcome.message}: ${schema.slice(0, 200)}`)
const value: unknown = JSON.parse(payload)
const startedMs = performance.now()
outcome.check(value)
parentPort?.postMessage(performance.now() - startedMs)
