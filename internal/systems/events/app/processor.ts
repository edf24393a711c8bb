/**
 * The processor: a primary that keeps the workers running and shows their totals, and the
 * workers themselves, from one entry point.
 */
import cluster from 'node:cluster'
import type { Environment } from '../../../engine/config/environment.js'
import type { Service } from '../../../engine/lifecycle/service.js'
import { readProcessorConfig } from '../config/config.js'
import { runProcessorPrimary } from './primary.js'
import { runProcessorWorker } from './worker.js'

export function createProcessor(env: Environment): Service {
  const config = readProcessorConfig(env)
  const run = cluster.isPrimary ? runProcessorPrimary : runProcessorWorker
  return { run: signal => run(config, signal) }
}
