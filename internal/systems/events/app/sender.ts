/**
 * The sender: a primary that keeps the workers running and shows what they do, and the
 * workers themselves, from one entry point.
 */
import cluster from 'node:cluster'
import type { Environment } from '../../../engine/config/environment.js'
import type { Service } from '../../../engine/lifecycle/service.js'
import { readSenderConfig } from '../config/config.js'
import { runSenderPrimary } from './sender-primary.js'
import { runSenderWorker } from './sender-worker.js'

export function createSender(env: Environment): Service {
  const config = readSenderConfig(env)
  const run = cluster.isPrimary ? runSenderPrimary : runSenderWorker
  return { run: signal => run(config, signal) }
}
