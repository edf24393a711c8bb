/** Reads the processor's totals from the text of `/metrics`. */
import { readSamples, sumOfSamples } from '../../../engine/observe/prometheus-text.js'
import type { MetricTotals } from './report.js'

export function readMetricTotals(text: string): MetricTotals {
  const samples = readSamples(text)
  return {
    stored: sumOfSamples(samples, 'event_process_stored_total'),
    rejected: sumOfSamples(samples, 'event_process_rejected_total')
  }
}
