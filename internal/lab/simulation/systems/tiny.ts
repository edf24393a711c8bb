/** The tiny system in the simulation: three meters, no quotas. */
import { countDispositions, createCommitJournal } from '../../../engine/cluster/intake-reporter.js'
import type { Rejection } from '../../../engine/message/message.js'
import { CounterSums } from '../../../engine/observe/counters.js'
import { SILENT_INTAKE } from '../../testing/silent-intake.js'
import {
  decodeReading,
  formatReading,
  meterOf,
  READING_REASONS,
  READING_RULES,
  type Reading,
  refuseReading
} from '../../testing/tiny-system/reading.js'
import type { Dice } from '../dice.js'
import type { GoodBody, ObserveSetup, SimulatedCounting, SimulatedSystem } from '../system.js'

const METERS = ['kitchen', 'cellar', 'attic'] as const

export const SIMULATED_READINGS: SimulatedSystem<Reading> = {
  decode: decodeReading,
  refuse: refuseReading,
  lineOf: meterOf,
  rules: READING_RULES,
  reasons: READING_REASONS,
  bodies: {
    senders: METERS,
    good,
    bad: [{ reason: 'malformed', isMeasured: false, body: (meter, id) => `${meter};${id}` }],
    poison: (meter, queueId, kind) => `${meter};${kind}-${queueId};1`
  },
  quotas: null,
  observe
}

/** The same id usually comes with the same value, sometimes with another one. */
function good(meter: string, _queueId: string, ids: number, dice: Dice): GoodBody {
  const id = String(dice.below(ids))
  const reading = { meter, id, value: dice.chance(0.1) ? dice.below(3) : 0 }
  return {
    body: formatReading(reading),
    key: READING_RULES.keyOf(reading),
    content: READING_RULES.contentOf(reading)
  }
}

function observe({ send }: ObserveSetup): SimulatedCounting<Reading> {
  const journal = createCommitJournal<Reading, Rejection>({
    sums: new CounterSums(),
    send,
    countsOf: countDispositions
  })
  return { observer: SILENT_INTAKE, journal }
}
