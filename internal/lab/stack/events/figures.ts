/**
 * What processor and sender have done, from their own /metrics.
 *
 * Shapes  Prometheus text in, sums out; labels of one metric are added up.
 */
import type { Figures } from '../demo.js'

export function readProcessorFigures(text: string): Figures {
  const sum = (name: string): number => {
    let total = 0
    for (const [, value] of text.matchAll(
      new RegExp(`^event_process_${name}_total(?:\\{[^}]*\\})? (\\S+)$`, 'gm')
    ))
      total += Number(value)
    return total
  }
  return {
    received: sum('received'),
    stored: sum('stored'),
    duplicates: sum('duplicate'),
    rejected: sum('rejected')
  }
}

/** 0 when the sender tells nothing. */
export function readDelivered(text: string): number {
  return Number(
    /^event_process_delivery_attempts_total\{outcome="delivered"\} (\S+)$/m.exec(text)?.[1] ?? 0
  )
}

export function describeFigures(figures: Figures): string {
  return ['received', 'stored', 'duplicates', 'rejected', 'delivered']
    .filter(name => name !== 'delivered' || figures[name] !== 0)
    .map(name => `${name} ${(figures[name] ?? 0).toLocaleString('en-US')}`)
    .join(' · ')
}
