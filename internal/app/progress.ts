/**
 * The live line of `npm start`: what the processor has done, from its own /metrics.
 *
 * Shapes  Prometheus text in, sums out; two readings and the seconds between them make a line.
 */
export interface Reading {
  readonly received: number
  readonly stored: number
  readonly duplicates: number
  readonly rejected: number
}

/** The processor's totals in a Prometheus text; labels of one metric are added up. */
export function readTotals(text: string): Reading {
  const sum = (name: string): number => {
    let total = 0
    for (const [, value] of text.matchAll(new RegExp(`^event_process_${name}_total(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))) total += Number(value)
    return total
  }
  return { received: sum('received'), stored: sum('stored'), duplicates: sum('duplicate'), rejected: sum('rejected') }
}

export function progressLine(now: Reading, before: Reading, seconds: number): string {
  const perSecond = seconds > 0 ? Math.round((now.received - before.received) / seconds) : 0
  const count = (value: number): string => value.toLocaleString('en-US')
  return `received ${count(now.received)} · stored ${count(now.stored)} · duplicates ${count(now.duplicates)} · rejected ${count(now.rejected)} · ${count(perSecond)}/s`
}
