/**
 * One schedule: everything that is fixed before a simulation runs. The same seed gives
 * the same schedule. It is plain data, so that shrinking can leave out faults and
 * messages.
 *
 * Units   virtual milliseconds, seconds where the queue counts them.
 */

import type { IntakeLimits } from '../../engine/intake/options.js'
import { Dice } from './dice.js'
import {
  type Area,
  areaOf,
  CALL_FAULTS,
  type CallFaultKind,
  CRASH_POINTS,
  type Fault,
  SPAN_FAULTS,
  type SpanFaultKind
} from './faults.js'
import { createLoad, type SentBody } from './load.js'
import type { SenderQuota, SenderRule, SenderRules, SimulatedSystem } from './system.js'

export interface Schedule {
  readonly seed: number
  readonly workers: number
  readonly pollers: number
  readonly limits: IntakeLimits
  readonly visibilityTimeoutS: number
  readonly maxReceiveCount: number
  /** How long after its receive a message can be kept invisible. */
  readonly visibilityCeilingMs: number
  /** What the queue does with a delete that has an old handle. */
  readonly staleDeletes: 'ignored' | 'refused' | 'done'
  /** The operators' settings, by sender. */
  readonly rules: SenderRules
  readonly sent: readonly SentBody[]
  readonly faults: readonly Fault[]
  /** There are no faults after this. */
  readonly faultsEndMs: number
}

/** Which areas fail together; invariant I11 uses the first. */
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

const CALL_KINDS = Object.keys(CALL_FAULTS) as CallFaultKind[]
const isOfSend = (kind: CallFaultKind): boolean => CALL_FAULTS[kind] === 'send'
const SEND_FAULTS = CALL_KINDS.filter(isOfSend)
const SEND_POINTS = CRASH_POINTS.filter(point => point.startsWith('send'))
const OTHER_POINTS = CRASH_POINTS.filter(point => !point.startsWith('send'))

const TWELVE_HOURS_MS = 43_200_000

/** The parts of a system that a schedule depends on. */
export type Schedulable = Pick<SimulatedSystem<never>, 'bodies'> & { readonly quotas: unknown }

export function createSchedule({ bodies, quotas }: Schedulable, seed: number): Schedule {
  const dice = new Dice(seed, 'schedule')
  const areas = dice.pick(THEMES)
  const workers = dice.chance(0.4) ? 2 : 1
  const hasKillers = areas.includes('process') && dice.chance(0.15)
  const visibilityTimeoutS = dice.pick([4, 10, 30])
  const faultsEndMs = dice.scale(3_000, 150_000)
  const faults = areas.flatMap(area => createFaults(area, { workers, faultsEndMs, dice }))
  // A separate stream, so that a seed without rules keeps its schedule.
  const rulesDice = new Dice(seed, 'rules')
  const rules =
    quotas !== null && rulesDice.chance(0.2) ? createRules(bodies.senders, rulesDice) : {}
  if (isDelaying(rules)) {
    for (const area of areas)
      faults.push(...createSendFaults(area, { workers, faultsEndMs, dice: rulesDice }))
  }
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
      settleConcurrency: 1 + dice.below(3),
      settleLingerMs: dice.pick([0, 10])
    },
    visibilityTimeoutS,
    maxReceiveCount: 3 + dice.below(4),
    visibilityCeilingMs:
      areas.includes('queue') && dice.chance(0.2) ? visibilityTimeoutS * 2_500 : TWELVE_HOURS_MS,
    staleDeletes: dice.pick(['ignored', 'refused', 'done'] as const),
    rules,
    sent: createLoad(
      bodies,
      {
        messages: 5 + dice.below(36),
        lastMessages: dice.below(12),
        overMs: dice.between(0, faultsEndMs),
        hasKillers
      },
      new Dice(seed, 'load')
    ),
    faults,
    faultsEndMs
  }
}

/**
 * Quotas low enough that the load exceeds them, and high enough that the backlog drains
 * within a minute.
 */
function createRules(senders: readonly string[], dice: Dice): SenderRules {
  const ruleOf = (): SenderRule => {
    const weight = dice.pick([1, 1, 3, 100])
    const quota: SenderQuota = {
      maxItemsPerS: dice.pick([null, 1, 1, 3, 10]),
      maxBytesPerS: dice.pick([null, null, 150, 1_000]),
      over: dice.pick(['delay', 'delay', 'reject'] as const)
    }
    return {
      weight,
      quota: quota.maxItemsPerS === null && quota.maxBytesPerS === null ? null : quota
    }
  }
  return Object.fromEntries(senders.map(sender => [sender, ruleOf()]))
}

/** Whether a quota may delay messages. */
export function isDelaying(rules: SenderRules): boolean {
  return Object.values(rules).some(({ quota }) => quota?.over === 'delay')
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
  return Array.from({ length: count }, () =>
    area === 'process' ? createInterruption(room) : createOutage(area, room)
  )
}

/** Faults around sending copies: the queue's answer fails, or the worker dies. */
function createSendFaults(area: Area, { workers, dice }: Room): readonly Fault[] {
  if (area === 'database') return []
  return Array.from({ length: dice.below(4) }, (): Fault => {
    const nth = Math.floor(dice.scale(1, 8))
    if (area === 'queue') return { kind: dice.pick(SEND_FAULTS), nth, share: dice.next() }
    return { kind: 'crash', worker: dice.below(workers), point: dice.pick(SEND_POINTS), nth }
  })
}

function createInterruption({ workers, faultsEndMs, dice }: Room): Fault {
  const worker = dice.below(workers)
  const kind = dice.pick(['crash', 'crash', 'crash', 'stop', 'pause'] as const)
  if (kind === 'crash')
    return { kind, worker, point: dice.pick(OTHER_POINTS), nth: Math.floor(dice.scale(1, 8)) }
  return {
    kind,
    worker,
    atMs: dice.between(0, faultsEndMs),
    forMs: dice.scale(50, kind === 'stop' ? 25_000 : 60_000)
  }
}

function createOutage(area: Area, { faultsEndMs, dice }: Room): Fault {
  const isOfArea = (kind: string): boolean =>
    areaOf({ kind, fromMs: 0, forMs: 0 } as Fault) === area
  if (dice.chance(0.25)) {
    const kind = dice.pick((Object.keys(SPAN_FAULTS) as SpanFaultKind[]).filter(isOfArea))
    return { kind, fromMs: dice.between(0, faultsEndMs), forMs: dice.scale(50, SPAN_FAULTS[kind]) }
  }
  const kind = dice.pick(CALL_KINDS.filter(kind => isOfArea(kind) && !isOfSend(kind)))
  return { kind, nth: Math.floor(dice.scale(1, 12)), share: dice.next() }
}
