/**
 * Metrics per client, for as many clients as the primary has given a label. All other
 * clients, and unknown names, are `other`.
 *
 * The labels come from the table `client`, never from a message, and are never removed: a
 * label's meaning does not change while the processor lives, and no sender can create a
 * series.
 *
 * Shapes  keys of the sums are `client_stored/label`, `client_duplicate/label`,
 *         `client_rejected/reason/label`.
 * Units   seconds.
 */

import type { Disposition } from '../../../engine/message/message.js'
import { OTHER_LABEL } from '../../../engine/observe/counters.js'
import { Observations } from '../../../engine/observe/observations.js'
import { clientOf, type EventEntry, REJECTION_REASONS } from '../event/event.js'

/** Each costs about 35 series per scrape. */
export const MAX_CLIENT_LABELS = 50
/** Fine where one client's flood would delay the others. */
const DWELL_BUCKETS_S = [
  0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 5, 60, 3_600
]

class ClientSlot {
  readonly label: string
  readonly dwell = new Observations(DWELL_BUCKETS_S)
  /** The counts of the current batch. */
  stored = 0
  duplicate = 0
  rejected: Partial<Record<string, number>> | null = null

  constructor(label: string) {
    this.label = label
  }
}

export class ClientMetrics {
  readonly #slots = new Map<string, ClientSlot>()
  readonly #other = new ClientSlot(OTHER_LABEL)

  label(clients: readonly string[]): void {
    // A client named like the shared label is counted with the others: one label cannot
    // have two series.
    for (const client of clients)
      if (client !== OTHER_LABEL && !this.#slots.has(client))
        this.#slots.set(client, new ClientSlot(client))
  }

  /** What a batch adds to the counters, by key. */
  count(
    entries: readonly EventEntry[],
    dispositions: readonly Disposition[]
  ): Record<string, number> {
    for (let index = 0; index < entries.length; index++) {
      const slot = this.#slots.get(clientOf(entries[index] as EventEntry)) ?? this.#other
      const disposition = dispositions[index] as Disposition
      if (disposition === 'stored') slot.stored += 1
      else if (disposition === 'duplicate') slot.duplicate += 1
      else {
        slot.rejected ??= {}
        slot.rejected[disposition] = (slot.rejected[disposition] ?? 0) + 1
      }
    }
    const counts: Record<string, number> = {}
    for (const slot of this.#all()) {
      const { label, stored, duplicate, rejected } = slot
      if (stored > 0) counts[`client_stored/${label}`] = stored
      if (duplicate > 0) counts[`client_duplicate/${label}`] = duplicate
      for (const [reason, amount = 0] of Object.entries(rejected ?? {}))
        counts[`client_rejected/${reason}/${label}`] = amount
      slot.stored = 0
      slot.duplicate = 0
      slot.rejected = null
    }
    return counts
  }

  dwelt(entry: EventEntry, seconds: number): void {
    const slot = this.#slots.get(clientOf(entry)) ?? this.#other
    slot.dwell.observe(seconds)
  }

  /**
   * The histogram of all labels, in the form of prom-client's
   * `Registry.getMetricsAsJSON`.
   */
  toMetric(name: string, help: string): object {
    const values = [...this.#all()].flatMap(({ label, dwell }) =>
      dwell.values(name, { client: label })
    )
    return { name, help, type: 'histogram', aggregator: 'sum', values }
  }

  *#all(): Iterable<ClientSlot> {
    yield* this.#slots.values()
    yield this.#other
  }
}

/**
 * The counters per client: their label names, and for each combination of labels the key
 * of its sum.
 */
export const CLIENT_COUNTERS = {
  client_stored: { help: 'Events that became a row of message, by client', labelNames: ['client'] },
  client_duplicate: {
    help: 'Messages whose event had been settled before, by client',
    labelNames: ['client']
  },
  client_rejected: {
    help: 'Events that became a row of rejection, by client and reason',
    labelNames: ['client', 'reason']
  }
} as const

export type ClientCounter = keyof typeof CLIENT_COUNTERS

export function* combinations(
  name: ClientCounter,
  labels: readonly string[]
): Iterable<[key: string, Record<string, string>]> {
  for (const client of [...labels.filter(label => label !== OTHER_LABEL), OTHER_LABEL]) {
    if (name !== 'client_rejected') yield [`${name}/${client}`, { client }]
    else
      for (const reason of REJECTION_REASONS)
        yield [`${name}/${reason}/${client}`, { client, reason }]
  }
}
