/**
 * One schedule: everything that is fixed before a simulation runs. The same seed makes the same one.
 *
 * Shapes  plain data: whoever looks for the smallest schedule that still fails leaves faults and messages out.
 * Units   virtual milliseconds, seconds where the queue counts them.
 */
import type { IntakeLimits } from '../../intake/intake.js'
import { Dice } from './dice.js'
import { type Area, areaOf, CALL_FAULTS, type CallFaultKind, CRASH_POINTS, type Fault, SPAN_FAULTS, type SpanFaultKind } from './faults.js'
import { createLoad, type Sent } from './load.js'

export interface Schedule {
  readonly seed: number
  readonly workers: number
  readonly pollers: number
  readonly limits: IntakeLimits
  readonly maxReceiveCount: number
  /** How long after its receive a message can be kept invisible. */
  readonly visibilityCeilingMs: number
  /** What the queue makes of a delete with any but the newest handle. */
  readonly staleDeletes: 'ignored' | 'refused' | 'done'
  readonly sent: readonly Sent[]
  readonly faults: readonly Fault[]
  /** From here on nothing goes wrong any more. */
  readonly faultsEndMs: number
}

/** Which areas fail together; the first is the one of invariant I11. */
const THEMES: readonly (readonly Area[])[] = [
  ['database'],
  ['database'],
  ['queue'],
  ['process'],
  ['process', 'database'],
  ['process', 'queue'],
  ['database', 'queue'],
  ['database', 'queue', 'process'],
  ['database', 'queue', 'process'],
  []
]

const TWELVE_HOURS_MS = 43_200_000

export function createSchedule(seed: number): Schedule {
  const dice = new Dice(seed, 'schedule')
  const areas = dice.pick(THEMES)
  const workers = dice.chance(0.4) ? 2 : 1
  const hasKillers = areas.includes('process') && dice.chance(0.15)
  const visibilityTimeoutS = dice.pick([4, 10, 30])
  const faultsEndMs = dice.scale(3_000, 150_000)
  const faults = areas.flatMap(area => createFaults(area, { workers, faultsEndMs, dice }))
  return {
    seed,
    workers,
    pollers: 1 + dice.below(3),
    limits: {
      batch: {
        maxMessages: dice.pick([1, 3, 10, 1_000]),
        maxBytes: dice.pick([300, 1_000_000]),
        lingerMs: dice.pick([0, 5, 100]),
        busyMessages: dice.pick([1, 5, 100])
      },
      maxInFlightMessages: dice.pick([10, 20, 1_000]),
      maxInFlightBytes: dice.pick([1_000, 1_000_000]),
      visibilityTimeoutS,
      settleConcurrency: 1 + dice.below(3),
      settleLingerMs: dice.pick([0, 10])
    },
    maxReceiveCount: 3 + dice.below(4),
    visibilityCeilingMs: areas.includes('queue') && dice.chance(0.2) ? visibilityTimeoutS * 2_500 : TWELVE_HOURS_MS,
    staleDeletes: dice.pick(['ignored', 'refused', 'done'] as const),
    sent: createLoad(
      { messages: 5 + dice.below(36), lastMessages: dice.below(12), overMs: dice.between(0, faultsEndMs), hasKillers },
      new Dice(seed, 'load')
    ),
    faults,
    faultsEndMs
  }
}

export function areasOf({ faults, sent }: Schedule): ReadonlySet<Area> {
  const areas = new Set(faults.map(areaOf))
  if (sent.some(({ kind }) => kind === 'killer')) areas.add('process')
  return areas
}

interface Room {
  readonly workers: number
  readonly faultsEndMs: number
  readonly dice: Dice
}

function createFaults(area: Area, room: Room): readonly Fault[] {
  const { dice } = room
  const count = 1 + dice.below(5)
  return Array.from({ length: count }, () => (area === 'process' ? createInterruption(room) : createOutage(area, room)))
}

function createInterruption({ workers, faultsEndMs, dice }: Room): Fault {
  const worker = dice.below(workers)
  const kind = dice.pick(['crash', 'crash', 'crash', 'stop', 'pause'] as const)
  if (kind === 'crash') return { kind, worker, point: dice.pick(CRASH_POINTS), nth: Math.floor(dice.scale(1, 8)) }
  return { kind, worker, atMs: dice.between(0, faultsEndMs), forMs: dice.scale(50, kind === 'stop' ? 25_000 : 60_000) }
}

function createOutage(area: Area, { faultsEndMs, dice }: Room): Fault {
  const isOfArea = (kind: string): boolean => areaOf({ kind, fromMs: 0, forMs: 0 } as Fault) === area
  if (dice.chance(0.25)) {
    const kind = dice.pick((Object.keys(SPAN_FAULTS) as SpanFaultKind[]).filter(isOfArea))
    return { kind, fromMs: dice.between(0, faultsEndMs), forMs: dice.scale(50, SPAN_FAULTS[kind]) }
  }
  const kind = dice.pick((Object.keys(CALL_FAULTS) as CallFaultKind[]).filter(isOfArea))
  return { kind, nth: Math.floor(dice.scale(1, 12)), share: dice.next() }
}
