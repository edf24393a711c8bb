/**
 * What the processor's `/metrics` shows: the totals of all workers, and their histograms
 * and gauges from their last reports.
 */
import { Counter, Registry } from 'prom-client'
import {
  COUNTERS,
  type CounterName,
  MAX_LABEL_VALUES,
  OTHER_LABEL
} from '../../../engine/observe/counters.js'
import type { CounterTotals } from '../../../engine/observe/totals.js'
import { WorkerReports } from '../../../engine/observe/worker-reports.js'
import { CLIENT_COUNTERS, combinations } from './client-metrics.js'
import { METRIC_PREFIX } from './worker-metrics.js'

export class PrimaryMetrics {
  readonly #own = new Registry()
  /** Of the workers. */
  readonly reports = new WorkerReports(this.#own)
  /** By label name: counters of the same things show the same ones. */
  readonly #caps = new Map<string, Cap>()
  readonly #totals: CounterTotals
  /** The clients with series of their own. */
  labels: readonly string[] = []

  constructor(totals: CounterTotals) {
    this.#totals = totals
    for (const name of Object.keys(COUNTERS) as CounterName[]) this.#register(name)
    for (const name of Object.keys(CLIENT_COUNTERS) as (keyof typeof CLIENT_COUNTERS)[])
      this.#registerByClient(name)
  }

  get contentType(): string {
    return this.#own.contentType
  }

  text(): Promise<string> {
    return this.reports.text()
  }

  #registerByClient(name: keyof typeof CLIENT_COUNTERS): void {
    const sumsOf = (): Iterable<[key: string, Record<string, string>]> =>
      combinations(name, this.labels)
    const totals = this.#totals
    const { help, labelNames } = CLIENT_COUNTERS[name]
    new Counter<string>({
      name: `${METRIC_PREFIX}${name}_total`,
      help,
      labelNames,
      registers: [this.#own],
      collect() {
        this.reset()
        for (const [key, labels] of sumsOf()) this.inc(labels, totals.sum(key))
      }
    })
  }

  #register(name: CounterName): void {
    const definition = COUNTERS[name]
    const totals = this.#totals
    const base = {
      name: `${METRIC_PREFIX}${name}_total`,
      help: definition.help,
      registers: [this.#own]
    }
    if (!('label' in definition)) {
      new Counter({
        ...base,
        collect() {
          this.reset()
          this.inc(totals.sum(name))
        }
      })
      return
    }
    if (!('values' in definition)) return this.#registerOpen(name, base, definition.label)
    const { label, values } = definition
    new Counter<string>({
      ...base,
      labelNames: [label],
      collect() {
        this.reset()
        for (const value of values) this.inc({ [label]: value }, totals.sum(`${name}/${value}`))
      }
    })
  }

  #registerOpen(
    name: CounterName,
    base: { readonly name: string; readonly help: string; readonly registers: Registry[] },
    label: string
  ): void {
    const totals = this.#totals
    const cap = this.#caps.get(label) ?? createCap(MAX_LABEL_VALUES)
    this.#caps.set(label, cap)
    new Counter<string>({
      ...base,
      labelNames: [label],
      collect() {
        this.reset()
        for (const [value, sum] of totals.sumsByLabel(name)) this.inc({ [label]: cap(value) }, sum)
      }
    })
  }
}

type Cap = (value: string) => string

/**
 * The first labels that are seen keep a series of their own for good, so that no series
 * goes backwards.
 */
function createCap(maxValues: number): Cap {
  const own = new Set<string>()
  return label => {
    if (own.size < maxValues && label !== OTHER_LABEL) own.add(label)
    return own.has(label) ? label : OTHER_LABEL
  }
}
