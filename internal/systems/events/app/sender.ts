/**
 * The sender: a primary that keeps the workers running and shows what they do, and the
 * workers, all from one entry point.
 */
import cluster from 'node:cluster'
import type { Environment } from '../../../engine/config/environment.js'
import type { Service } from '../../../engine/lifecycle/service.js'
import { readSenderConfig } from '../config/config.js'
import { createSenderPrimary } from './sender-primary.js'
import { createSenderWorker } from './sender-worker.js'

export function createSender(env: Environment): Service {
  const config = readSenderConfig(env)
  return cluster.isPrimary ? createSenderPrimary(config) : createSenderWorker(config)
}
