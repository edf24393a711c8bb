/**
 * The scenarios: their subjects, how many events each gets, and how long latency is
 * measured.
 *
 * The counts make a scenario take a few seconds; slow subjects get fewer events. Fewer
 * would measure a program that is still being compiled: ours takes 37 µs per event over
 * the first 30 000 and 34 over 100 000.
 */
import type { BaselineName } from './protocol.js'

export const SCENARIO_NAMES = [
  'naive',
  'per-receive',
  'ours',
  'ours-mixed',
  'ours-hostile',
  'receive-delete',
  'insert',
  'producers'
] as const
export type ScenarioName = (typeof SCENARIO_NAMES)[number]

export interface Scenario {
  readonly name: ScenarioName
  readonly title: string
  readonly explanation: string
  readonly events: number
  readonly quickEvents: number
  readonly isInQuickRun: boolean
  /** Whose process works on the events: the built processor, or a baseline. */
  readonly subject: 'processor' | BaselineName
  /**
   * What the queue holds when the subject starts; null: nothing, and the subject reports
   * its own progress.
   */
  readonly load: LoadKind | null
  /** Leaves a row per event. */
  readonly stores: boolean
}

/**
 * `mixed` contains duplicates and invalid events; in `hostile`, one event in ten can be
 * refused only by the database.
 */
export type LoadKind = 'clean' | 'mixed' | 'hostile'

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'naive',
    title: 'naive',
    explanation: 'sqs-consumer with a handler per message: one INSERT and one delete each',
    events: 5_000,
    quickEvents: 2_000,
    isInQuickRun: true,
    subject: 'naive',
    load: 'clean',
    stores: true
  },
  {
    name: 'per-receive',
    title: 'per receive',
    explanation: 'sqs-consumer in tens: one INSERT and one batch delete per receive',
    events: 15_000,
    quickEvents: 8_000,
    isInQuickRun: true,
    subject: 'per-receive',
    load: 'clean',
    stores: true
  },
  {
    name: 'ours',
    title: 'ours',
    explanation: 'the built processor',
    events: 100_000,
    quickEvents: 40_000,
    isInQuickRun: true,
    subject: 'processor',
    load: 'clean',
    stores: true
  },
  {
    name: 'ours-mixed',
    title: 'ours, mixed',
    explanation: 'the built processor; 10 % of the events are duplicates and 5 % invalid',
    events: 60_000,
    quickEvents: 20_000,
    isInQuickRun: false,
    subject: 'processor',
    load: 'mixed',
    stores: true
  },
  {
    name: 'ours-hostile',
    title: 'ours, hostile',
    explanation: 'the built processor; one event in ten can be refused only by the database',
    events: 60_000,
    quickEvents: 20_000,
    isInQuickRun: false,
    subject: 'processor',
    load: 'hostile',
    stores: true
  },
  {
    name: 'receive-delete',
    title: 'limit: receive + delete',
    explanation:
      'receive and batch delete alone, no work in between, with our client and as many pollers',
    events: 100_000,
    quickEvents: 40_000,
    isInQuickRun: true,
    subject: 'receive-delete',
    load: 'clean',
    stores: false
  },
  {
    name: 'insert',
    title: 'limit: INSERT',
    explanation: 'our store in a loop on ready-made batches of 1000, no queue',
    events: 100_000,
    quickEvents: 50_000,
    isInQuickRun: true,
    subject: 'insert',
    load: null,
    stores: true
  },
  {
    name: 'producers',
    title: 'producers alone',
    explanation: 'the load generator alone: tens, with our client, into an empty queue',
    events: 60_000,
    quickEvents: 30_000,
    isInQuickRun: false,
    subject: 'producers',
    load: null,
    stores: false
  }
]

/** Events of one batch of the scenario `insert`. */
export const INSERT_BATCH = 1_000

/** Events per second while latency is measured. */
export const LATENCY_RATE = 100

/** Of the mixed load. */
export const MIXED_SHARES = { duplicates: 0.1, invalid: 0.05 }

/**
 * Latency is measured again at this share of the rate that the same run has just reached.
 */
export const BUSY_SHARE = 0.7
