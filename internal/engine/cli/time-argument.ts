/**
 * Times as people write them: `2026-01-31`, `2026-01-31T08:05`, or how long ago: `90s`,
 * `30m`, `2h`, `7d`, `1w`.
 *
 * Units   milliseconds since 1970; a date without a zone is UTC, like all times that the
 *         program prints.
 * Errors  null for anything else.
 */
const SPAN_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000
}
const SPAN = /^(\d{1,9})([smhdw])$/
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.]\d{1,6})?)?)?(Z|[+-]\d{2}:\d{2})?$/

export function parseTimeArgument(text: string, nowMs: number): Date | null {
  const spanMs = parseSpan(text)
  if (spanMs !== null) return valid(new Date(nowMs - spanMs))
  const date = DATE.exec(text)
  if (date === null) return null
  const time = text.replace(' ', 'T')
  // JavaScript reads a time without a zone as local time.
  const parsed = valid(new Date(date[1] === undefined && time.includes('T') ? `${time}Z` : time))
  // JavaScript would turn 30 February into a day of March.
  return parsed !== null &&
    date[1] === undefined &&
    !parsed.toISOString().startsWith(time.slice(0, 10))
    ? null
    : parsed
}

export function parseSpan(text: string): number | null {
  const [, count, unit] = SPAN.exec(text) ?? []
  return count === undefined || unit === undefined ? null : Number(count) * (SPAN_MS[unit] ?? 0)
}

/** A year that databases can store and people mean. */
function valid(date: Date): Date | null {
  return date.getTime() >= 0 && date.getTime() < 253_402_300_800_000 ? date : null
}
