/**
 * Reads a `Retry-After` header.
 *
 * Shapes  seconds or an HTTP date in; the wait out, never negative and never above the
 *         cap. Anything else is null.
 * Units   milliseconds.
 * Source  RFC 9110 10.2.3 and 5.6.7. Of the date formats only the one that today's
 *         programs send is read.
 */
const HTTP_DATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$/

export function retryAfterMs(value: string, nowEpochMs: number, maxMs: number): number | null {
  const text = value.trim()
  if (/^[0-9]+$/.test(text)) return Math.min(Number(text) * 1_000, maxMs)
  const atMs = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(atMs) ? null : Math.min(Math.max(atMs - nowEpochMs, 0), maxMs)
}
