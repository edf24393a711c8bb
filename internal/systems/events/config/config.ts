/**
 * The configuration of each events program, read once at its start.
 *
 * Shapes  an Environment in, a frozen typed value out.
 * Errors  ConfigError that names all missing and wrong variables.
 */
import { availableParallelism } from 'node:os'
import { type Environment, readValues } from '../../../engine/config/environment.js'
import { type IntakeConfig, readIntake } from '../../../engine/intake/settings.js'
import {
  type BaseConfig,
  buildConfig,
  PROGRAM_SETTINGS,
  type QueueProgramConfig,
  readBase,
  readQueueProgram
} from '../../../engine/program/config.js'
import { EMBEDDED_DATABASE } from '../../base-config.js'
import { readSender, type SenderSettings } from './sender.js'
import { SENDER_SETTINGS } from './sender-settings.js'
import { PROCESSOR_SETTINGS, PRODUCERS_SETTINGS } from './settings.js'

export interface ProcessorConfig extends QueueProgramConfig, IntakeConfig {
  readonly workers: number
  readonly metrics: { readonly host: string; readonly port: number }
}

export interface SenderConfig extends BaseConfig {
  readonly workers: number
  readonly metrics: { readonly host: string; readonly port: number }
  readonly sender: SenderSettings
}

export interface ProducersConfig extends QueueProgramConfig {
  readonly fakeIntervalMs: number
}

const EMBEDDED_QUEUE = 'events'
/** Each program reports all wrong settings, including those of other programs. */
const SETTINGS = {
  ...PROGRAM_SETTINGS,
  ...PROCESSOR_SETTINGS.settings,
  ...SENDER_SETTINGS.settings,
  ...PRODUCERS_SETTINGS.settings
} as const

export function readProcessorConfig(env: Environment): ProcessorConfig {
  const reading = readValues(SETTINGS, env)
  const { values, problems } = reading
  return buildConfig(
    problems,
    readQueueProgram(reading, EMBEDDED_DATABASE, EMBEDDED_QUEUE),
    base => ({
      ...base,
      ...readIntake(values),
      workers: values.WORKERS ?? availableParallelism(),
      metrics: { host: values.METRICS_HOST, port: values.METRICS_PORT }
    })
  )
}

export function readSenderConfig(env: Environment): SenderConfig {
  const reading = readValues(SETTINGS, env)
  const { values, problems } = reading
  const base = readBase(reading, EMBEDDED_DATABASE)
  const sender = readSender(reading, base?.services.kind === 'embedded')
  return buildConfig(problems, base, known => ({
    ...known,
    workers: values.SENDER_WORKERS,
    metrics: { host: values.METRICS_HOST, port: values.SENDER_METRICS_PORT },
    sender
  }))
}

export function readProducersConfig(env: Environment): ProducersConfig {
  const reading = readValues(SETTINGS, env)
  return buildConfig(
    reading.problems,
    readQueueProgram(reading, EMBEDDED_DATABASE, EMBEDDED_QUEUE),
    base => ({
      ...base,
      fakeIntervalMs: reading.values.PRODUCERS_FAKE_TIMEOUT
    })
  )
}

export function readQueueProgramConfig(env: Environment): QueueProgramConfig {
  const reading = readValues(SETTINGS, env)
  return buildConfig(
    reading.problems,
    readQueueProgram(reading, EMBEDDED_DATABASE, EMBEDDED_QUEUE),
    base => base
  )
}
