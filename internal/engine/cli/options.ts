/**
 * The options that several commands share: their help, and how they are read.
 *
 * Errors  a wrong value goes to the flags' problems and counts as absent.
 */

import type { Options } from './command.js'
import { type Flags, readNumber } from './flags.js'
import { didYouMean } from './nearest.js'
import { parseTimeArgument } from './time-argument.js'

export const TIME_ARGUMENT =
  'a date (2026-01-31, 2026-01-31T08:05; UTC) or how long ago (90s, 30m, 2h, 7d, 1w)'

export const JSON_OPTION: Options = {
  json: { value: null, text: 'the result as one JSON document' }
}
export const REDRIVE_OPTIONS: Options = {
  all: { value: null, text: 'all of them; needed if there are no ids and no filters' },
  limit: { value: 'N', text: 'at most N' },
  rate: { value: 'N/s', text: 'at most N per second' },
  'dry-run': { value: null, text: 'show what would be sent, and send nothing' }
}

export function readText(flags: Flags, name: string): string | null {
  const text = flags.text(name)
  // An empty value is a problem already.
  return text === undefined || text === '' ? null : text
}

export function readTime(flags: Flags, name: string, nowMs: number): Date | null {
  const text = readText(flags, name)
  if (text === null) return null
  const time = parseTimeArgument(text, nowMs)
  if (time === null)
    flags.problems.push(`--${name} must be ${TIME_ARGUMENT}, not ${JSON.stringify(text)}`)
  return time
}

export function readLimit(flags: Flags): number | null {
  return readNumber(flags, 'limit', 1, 2_147_483_647) ?? null
}

/** Per second. */
export function readRate(flags: Flags): number | null {
  const text = readText(flags, 'rate')
  if (text === null) return null
  const [, count] = /^(\d{1,7}(?:[.]\d{1,3})?)(?:\/s)?$/.exec(text) ?? []
  const rate = Number(count)
  if (rate > 0) return rate
  flags.problems.push(
    `--rate must be a number per second such as 50/s, not ${JSON.stringify(text)}`
  )
  return null
}

/** One of a few words; null when the option is absent or wrong. */
export function readChoice<T extends string>(
  flags: Flags,
  name: string,
  choices: readonly T[]
): T | null {
  const text = readText(flags, name)
  const choice = choices.find(known => known === text)
  if (text === null || choice !== undefined) return choice ?? null
  const meant = didYouMean(text, choices)
  flags.problems.push(
    `--${name} ${JSON.stringify(text)} is not a ${name}${meant} (there are ${choices.join(', ')})`
  )
  return null
}

/** Refuses an empty selection: it must never mean everything. */
export function assertScope(flags: Flags, filters: Options, what: string): void {
  const isSaid = flags.operands.length > 0 || Object.keys(filters).some(name => flags.isOn(name))
  if (isSaid && flags.isOn('all'))
    flags.problems.push('--all and ids or filters exclude each other')
  if (!isSaid && !flags.isOn('all'))
    flags.problems.push(`say which ${what}: ids, a filter (${names(filters)}), or --all`)
}

const names = (options: Options): string =>
  Object.keys(options)
    .map(name => `--${name}`)
    .join(', ')
