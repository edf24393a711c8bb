/**
 * Counts what came, and how often each of it.
 *
 * Shapes  a delivery is known by its path and webhook-id: the same event for two
 *         endpoints is two deliveries. Only so many are remembered; the one that came
 *         first is forgotten first, and would count as new.
 */
export interface ArrivalTotals {
  readonly received: number
  readonly accepted: number
  /** Accepted again after it had been accepted. */
  readonly duplicates: number
  readonly failed: number
  readonly invalid: number
  /** Different deliveries among the genuine ones. */
  readonly different: number
}

export interface Arrivals {
  /** One more of this delivery; how many there are now. */
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

/** Everything in one line. */
export function describeArrivals({
  received,
  accepted,
  duplicates,
  failed,
  invalid,
  different
}: ArrivalTotals): string {
  return [
    `${received} received (${different} different): ${accepted} accepted`,
    `, ${duplicates} of them duplicates; ${failed} failed as told; ${invalid} not genuine`
  ].join('')
}
