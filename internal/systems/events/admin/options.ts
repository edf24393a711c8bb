/**
 * The options that several commands share: how their help describes them, and how they
 * are read.
 *
 * Errors  what is wrong goes to the flags' problems, and the value counts as absent.
 */

import type { Options } from '../../../engine/cli/command.js'
import { type Flags, readNumber } from '../../../engine/cli/flags.js'
import { didYouMean } from '../../../engine/cli/nearest.js'
import { parseMoment } from '../../../engine/cli/time-argument.js'
import { REJECTION_REASONS, type RejectionReason } from '../event/event.js'
import type { RejectionFilter } from '../store/records.js'

export const MOMENT =
  'a date (2026-01-31, 2026-01-31T08:05; UTC) or how long ago (90s, 30m, 2h, 7d, 1w)'

export const JSON_OPTION: Options = {
  json: { value: null, text: 'the result as one JSON document' }
}
export const REJECTION_FILTERS: Options = {
  client: { value: 'NAME', text: 'only those whose body names this client' },
  'event-type': { value: 'NAME', text: 'only those whose body names this event type' },
  reason: {
    value: 'REASON',
    text: `only those refused for this reason: ${REJECTION_REASONS.join(', ')}`
  },
  since: { value: 'WHEN', text: `only those received since then: ${MOMENT}` }
}
export const DEAD_LETTER_FILTERS: Options = {
  client: { value: 'NAME', text: 'only those whose body is JSON and names this client' },
  'event-type': { value: 'NAME', text: 'only those whose body is JSON and names this event type' },
  since: { value: 'WHEN', text: `only those sent since then: ${MOMENT}` }
}
export const OLDER_THAN: Options = {
  'older-than': { value: 'WHEN', text: `only those sent before then: ${MOMENT}` }
}
export const REDRIVE_OPTIONS: Options = {
  all: { value: null, text: 'all of them; needed where neither ids nor filters say which' },
  limit: { value: 'N', text: 'at most so many' },
  rate: { value: 'N/s', text: 'at most so many per second' },
  'dry-run': { value: null, text: 'show what would be sent, and send nothing' }
}

export function readText(flags: Flags, name: string): string | null {
  const text = flags.text(name)
  // An empty value is a problem already.
  return text === undefined || text === '' ? null : text
}

export function readMoment(flags: Flags, name: string, nowMs: number): Date | null {
  const text = readText(flags, name)
  if (text === null) return null
  const moment = parseMoment(text, nowMs)
  if (moment === null)
    flags.problems.push(`--${name} must be ${MOMENT}, not ${JSON.stringify(text)}`)
  return moment
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

export function readRejectionFilter(flags: Flags, nowMs: number): RejectionFilter {
  return {
    ids: flags.operands.length === 0 ? null : flags.operands,
    clientId: readText(flags, 'client'),
    eventType: readText(flags, 'event-type'),
    reason: readReason(flags),
    since: readMoment(flags, 'since', nowMs),
    isOpen: flags.isOn('open')
  }
}

function readReason(flags: Flags): RejectionReason | null {
  const text = readText(flags, 'reason')
  const reason = REJECTION_REASONS.find(known => known === text)
  if (text === null || reason !== undefined) return reason ?? null
  const meant = didYouMean(text, REJECTION_REASONS)
  flags.problems.push(
    `--reason ${JSON.stringify(text)} is no reason${meant} (there are ${REJECTION_REASONS.join(', ')})`
  )
  return null
}

/** Sending or deleting everything is never what an empty command line means. */
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
