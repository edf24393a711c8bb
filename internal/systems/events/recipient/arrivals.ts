/**
 * Counts deliveries, and how often each of them came.
 *
 * A delivery is identified by its path and webhook-id, so one event for two endpoints is
 * two deliveries. Only so many are remembered; the oldest is forgotten first, and would
 * then count as new.
 */
export interface ArrivalTotals {
  readonly received: number
  readonly accepted: number
  /** Accepted more than once. */
  readonly duplicates: number
  readonly failed: number
  readonly invalid: number
  /** Different deliveries among the genuine ones. */
  readonly different: number
}

export interface Arrivals {
  /** Counts a genuine delivery; returns how often it has come. */
  seen(path: string, webhookId: string): number
  accepted(path: string, webhookId: string): void
  failed(): void
  invalid(): void
  totals(): ArrivalTotals
}

interface Delivery {
  seen: number
  isAccepted: boolean
}

const MAX_REMEMBERED = 500_000

export function createArrivals(maxRemembered = MAX_REMEMBERED): Arrivals {
  const deliveries = new Map<string, Delivery>()
  const counts = { received: 0, accepted: 0, duplicates: 0, failed: 0, invalid: 0, different: 0 }
  // A path cannot hold a space.
  const keyOf = (path: string, webhookId: string): string => `${path} ${webhookId}`
  const forgetFirst = (): void => {
    for (const key of deliveries.keys()) {
      deliveries.delete(key)
      return
    }
  }
  return {
    seen(path, webhookId) {
      counts.received++
      const key = keyOf(path, webhookId)
      const delivery = deliveries.get(key)
      if (delivery !== undefined) return ++delivery.seen
      if (deliveries.size >= maxRemembered) forgetFirst()
      deliveries.set(key, { seen: 1, isAccepted: false })
      counts.different++
      return 1
    },
    accepted(path, webhookId) {
      counts.accepted++
      const delivery = deliveries.get(keyOf(path, webhookId))
      if (delivery === undefined) return
      if (delivery.isAccepted) counts.duplicates++
      delivery.isAccepted = true
    },
    failed() {
      counts.failed++
    },
    invalid() {
      counts.received++
      counts.invalid++
    },
    totals: () => ({ ...counts })
  }
}

/** The totals in one line. */
export function describeArrivals({
  received,
  accepted,
  duplicates,
  failed,
  invalid,
  different
}: ArrivalTotals): string {
  const taken = `${accepted} accepted, ${duplicates} of them duplicates`
  const others = `${failed} failed on purpose; ${invalid} invalid`
  return `${received} received (${different} different): ${taken}; ${others}`
}
