/**
 * Reads totals out of what `/metrics` answers.
 *
 * Shapes  the text exposition format in, the sum over all label sets of one counter out.
 * Errors  a counter that is not there is 0: it has no label set before its first event.
 * Source  Prometheus text format 0.0.4: `name{labels} value [timestamp]`, lines with #
 *         are comments.
 */
import type { MetricTotals } from './report.js'

export function readMetricTotals(text: string): MetricTotals {
  return {
    stored: sumOf(text, 'event_process_stored_total'),
    rejected: sumOf(text, 'event_process_rejected_total')
  }
}

function sumOf(text: string, name: string): number {
  let sum = 0
  for (const line of text.split('\n')) {
    if (!line.startsWith(name)) continue
    const rest = line.slice(name.length)
    // Label values may hold spaces and braces: the value is what stands behind the last
    // brace.
    const value = rest.startsWith('{')
      ? rest.slice(rest.lastIndexOf('}') + 1)
      : rest.startsWith(' ')
        ? rest
        : null
    if (value !== null) sum += Number(value.trim().split(' ')[0])
  }
  return sum
}
