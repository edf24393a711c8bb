/**
 * What a program with workers shows at `/metrics`: the totals of its counters, and the
 * metrics of its workers as they last reported them.
 *
 * The system brings the prefix of all names and the definitions of its counters, and may
 * register more.
 */
import { Counter, Gauge, Registry } from 'prom-client'
import {
  type CounterDefinition,
  type CounterDefinitions,
  MAX_LABEL_VALUES,
  OTHER_LABEL
} from './counters.js'
import { CounterTotals } from './totals.js'
import { WorkerReports } from './worker-reports.js'

/** One series of a counter, as of now. */
export type CounterSeries = readonly [labels: Readonly<Record<string, string>>, sum: number]

export class Metrics {
  readonly totals = new CounterTotals()
  readonly reports: WorkerReports
  readonly #prefix: string
  /** What the primary itself knows. */
  readonly #own = new Registry()
  /** By label name: counters with the same label show the same values. */
  readonly #caps = new Map<string, Cap>()

  constructor(prefix: string, counters: CounterDefinitions) {
    this.#prefix = prefix
    this.reports = new WorkerReports(prefix, this.#own)
    for (const [name, definition] of Object.entries(counters)) {
      const { help, label } = definition
      const labelNames = label === undefined ? [] : [label]
      this.addCounter({ name, help, labelNames, series: this.#seriesOf(name, definition) })
    }
  }

  get contentType(): string {
    return this.#own.contentType
  }

  text(): Promise<string> {
    return this.reports.text()
  }

  /** A counter whose series are computed at each scrape. */
  addCounter({
    name,
    help,
    labelNames,
    series
  }: {
    readonly name: string
    readonly help: string
    readonly labelNames: readonly string[]
    readonly series: () => Iterable<CounterSeries>
  }): void {
    new Counter<string>({
      name: `${this.#prefix}${name}_total`,
      help,
      labelNames,
      registers: [this.#own],
      collect() {
        this.reset()
        for (const [labels, sum] of series()) this.inc(labels, sum)
      }
    })
  }

  addGauge<Label extends string = never>(
    name: string,
    help: string,
    labelNames: readonly Label[] = []
  ): Gauge<Label> {
    return new Gauge({ name: this.#prefix + name, help, labelNames, registers: [this.#own] })
  }

  #seriesOf(name: string, { label, values }: CounterDefinition): () => Iterable<CounterSeries> {
    const { totals } = this
    if (label === undefined) return () => [[{}, totals.sum(name)]]
    if (values !== undefined)
      return () => values.map(value => [{ [label]: value }, totals.sum(`${name}/${value}`)])
    const cap = this.#capOf(label)
    return () =>
      Array.from(totals.sumsByLabel(name), ([value, sum]) => [{ [label]: cap(value) }, sum])
  }

  #capOf(label: string): Cap {
    const cap = this.#caps.get(label) ?? createCap(MAX_LABEL_VALUES)
    this.#caps.set(label, cap)
    return cap
  }
}

type Cap = (value: string) => string

/**
 * The first labels seen keep their own series for good, so that no series goes backwards.
 */
function createCap(maxValues: number): Cap {
  const own = new Set<string>()
  return label => {
    if (own.size < maxValues && label !== OTHER_LABEL) own.add(label)
    return own.has(label) ? label : OTHER_LABEL
  }
}
