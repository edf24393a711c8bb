/**
 * The log: pino JSON lines, pretty on a terminal. Ids and counts only; payloads never.
 */
import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'

export type Log = Logger

export interface LogOptions {
  readonly level: string
  readonly format: string
}

export function createLog(name: string, { level, format }: LogOptions, isTerminal: boolean): Log {
  const isPretty = format === 'pretty' || (format === 'auto' && isTerminal)
  const options = { level, base: { name } }
  return isPretty
    ? pino(options, pretty({ sync: true, ignore: 'name', translateTime: 'SYS:HH:MM:ss.l' }))
    : pino(options)
}
