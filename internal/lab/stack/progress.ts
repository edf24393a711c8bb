/**
 * The live line of `npm start`: what processor and sender have done, from their own
 * /metrics.
 *
 * Shapes  Prometheus text in, sums out; two readings and the seconds between them make a
 *         line.
 */
export interface Reading {
  readonly received: number
  readonly stored: number
  readonly duplicates: number
  readonly rejected: number
  readonly delivered: number
}

/** The processor's totals in a Prometheus text; labels of one metric are added up. */
export function readTotals(text: string): Omit<Reading, 'delivered'> {
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

/** What the sender has delivered, by its Prometheus text; 0 when it tells nothing. */
export function readDelivered(text: string): number {
  return Number(
    /^event_process_delivery_attempts_total\{outcome="delivered"\} (\S+)$/m.exec(text)?.[1] ?? 0
  )
}

export function progressLine(now: Reading, before: Reading, seconds: number): string {
  const perSecond = seconds > 0 ? Math.round((now.received - before.received) / seconds) : 0
  const count = (value: number): string => value.toLocaleString('en-US')
  const delivered = now.delivered === 0 ? '' : ` · delivered ${count(now.delivered)}`
  return `received ${count(now.received)} · stored ${count(now.stored)} · duplicates ${count(now.duplicates)} · rejected ${count(now.rejected)}${delivered} · ${count(perSecond)}/s`
}
