/**
 * What is measured: the subjects, how many events each gets, and how long their latency is watched.
 *
 * Counts are chosen so that a scenario takes a few seconds; the slow ones get fewer events. Many more would measure the emulator: its
 * queue is one array, and taking the first element of one that is longer than about 15 000 moves all the others.
 */
export const SCENARIO_NAMES = ['naive', 'per-receive', 'ours', 'receive-delete', 'insert'] as const
export type ScenarioName = (typeof SCENARIO_NAMES)[number]

export interface Scenario {
  readonly name: ScenarioName
  readonly title: string
  readonly explanation: string
  readonly events: number
  readonly quickEvents: number
  /** Takes events from the queue. */
  readonly usesQueue: boolean
  /** Leaves a row per event. */
  readonly stores: boolean
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'naive',
    title: 'naive',
    explanation: 'sqs-consumer with a handler per message: one INSERT and one delete each',
    events: 5_000,
    quickEvents: 2_000,
    usesQueue: true,
    stores: true
  },
  {
    name: 'per-receive',
    title: 'per receive',
    explanation: 'sqs-consumer in tens: one INSERT and one batch delete per receive',
    events: 15_000,
    quickEvents: 8_000,
    usesQueue: true,
    stores: true
  },
  {
    name: 'ours',
    title: 'ours',
    explanation: 'the built processor',
    events: 30_000,
    quickEvents: 20_000,
    usesQueue: true,
    stores: true
  },
  {
    name: 'receive-delete',
    title: 'limit: receive + delete',
    explanation: 'receive and batch delete alone, no work in between, with our client and as many pollers',
    events: 20_000,
    quickEvents: 15_000,
    usesQueue: true,
    stores: false
  },
  {
    name: 'insert',
    title: 'limit: INSERT',
    explanation: 'our store in a loop on ready-made batches of 1000, no queue',
    events: 100_000,
    quickEvents: 50_000,
    usesQueue: false,
    stores: true
  }
]

/** Events of one batch of the scenario `insert`. */
export const INSERT_BATCH = 1_000

/** Events per second while the latency is watched. */
export const LATENCY_RATE = 100
