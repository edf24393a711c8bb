/**
 * What processor and sender have done, from their own /metrics.
 *
 * Shapes  Prometheus text in, sums over all labels out.
 */
import { readSamples, sumOfSamples } from '../../../engine/observe/prometheus-text.js'
import type { Figures } from '../demo.js'

export function readProcessorFigures(text: string): Figures {
  const samples = readSamples(text)
  const sum = (name: string): number => sumOfSamples(samples, `event_process_${name}_total`)
  return {
    received: sum('received'),
    stored: sum('stored'),
    duplicates: sum('duplicate'),
    rejected: sum('rejected')
  }
}

/** 0 when the sender reports nothing. */
export function readDelivered(text: string): number {
  return sumOfSamples(
    readSamples(text),
    'event_process_delivery_attempts_total',
    ({ outcome }) => outcome === 'delivered'
  )
}

export function describeFigures(figures: Figures): string {
  return ['received', 'stored', 'duplicates', 'rejected', 'delivered']
    .filter(name => name !== 'delivered' || figures[name] !== 0)
    .map(name => `${name} ${(figures[name] ?? 0).toLocaleString('en-US')}`)
    .join(' · ')
}
