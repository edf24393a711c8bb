/**
 * What a chaos run does, decided before it starts: the same arguments give the same plan.
 *
 * Shapes  steps one after the other; each sends its share of the events and then has a fault, a kill, or a kill in the middle of a fault.
 *         `draw` is a random number for whatever a step has to choose (which worker, which message).
 * Units   milliseconds.
 */
import { createRandom, type Random } from '../producer/random.js'
import { FAULT_KINDS, FAULTS, type FaultKind } from './faults.js'

export interface PlannedFault {
  readonly kind: FaultKind
  readonly forMs: number
  readonly draw: number
}

export interface PlannedKill {
  readonly target: 'worker' | 'primary'
  /** From the begin of the fault, or of the step where there is none. */
  readonly afterMs: number
  /** Then at the next COMMIT, before its answer reaches whoever waits for it. */
  readonly isAtCommit: boolean
  readonly draw: number
}

export interface Step {
  readonly events: number
  /** From the first event to the begin of the fault. */
  readonly leadMs: number
  readonly fault: PlannedFault | null
  readonly kill: PlannedKill | null
  readonly pauseMs: number
}

export interface Plan {
  readonly seed: string
  readonly events: number
  readonly steps: readonly Step[]
}

export interface PlanOptions {
  readonly seed: string
  readonly events: number
  readonly kills: number
  readonly faults: number
  /** Dealt in turn, in random order. */
  readonly kinds?: readonly FaultKind[]
}

/** Among so many kills one is the primary's; it also ends the crash loops that kills in a row are for the supervisor. */
const KILLS_PER_PRIMARY = 4
const KILLS_IN_FAULTS_PERCENT = 50
const LEAD_MS = 150
/** A burst of events is under way for about this long. */
const KILL_WITHIN_MS = 250
const AT_COMMIT_PERCENT = 50
/** A burst that is over has no commits any more. */
const AT_COMMIT_WITHIN_MS = 60
const PAUSE_FROM_MS = 200
const PAUSE_MS = 1_200
const DRAWS = 1_000_000

export function createPlan({ seed, events, kills, faults, kinds = FAULT_KINDS }: PlanOptions): Plan {
  const random = createRandom(`chaos ${seed}`)
  const plannedFaults = Array.from({ length: faults }, dealer(kinds, random)).map(kind => planFault(kind, random))
  const targets = shuffled(
    Array.from({ length: kills }, (_, index) => (index % KILLS_PER_PRIMARY === 0 ? ('primary' as const) : ('worker' as const))),
    random
  )
  const acts: Pick<Step, 'fault' | 'kill'>[] = plannedFaults.map(fault => {
    const isMet = FAULTS[fault.kind].allowsKill && random.below(100) < KILLS_IN_FAULTS_PERCENT
    const target = isMet ? targets.pop() : undefined
    return { fault, kill: target === undefined ? null : planKill(target, fault.forMs, random) }
  })
  for (const target of targets) acts.push({ fault: null, kill: planKill(target, KILL_WITHIN_MS, random) })
  const ordered = shuffled(acts, random)
  const steps = ordered.map(
    (act, index): Step => ({
      events: share(events, ordered.length, index),
      leadMs: act.fault === null ? 0 : random.below(LEAD_MS),
      pauseMs: PAUSE_FROM_MS + random.below(PAUSE_MS),
      ...act
    })
  )
  return { seed, events, steps }
}

/** The plan as lines for a person, several steps on each. */
export function formatPlan({ steps }: Plan, width = 132): readonly string[] {
  const lines: string[] = []
  for (const [index, step] of steps.entries()) {
    const text = `${index + 1} ${describeStep(step)}`
    const last = lines.at(-1)
    if (last !== undefined && last.length + text.length + 3 <= width) lines[lines.length - 1] = `${last} · ${text}`
    else lines.push(text)
  }
  return lines
}

export function describeStep({ fault, kill }: Step): string {
  const parts: string[] = []
  if (fault !== null) parts.push(fault.forMs === 0 ? fault.kind : `${fault.kind} ${seconds(fault.forMs)}`)
  if (kill !== null) parts.push(`kill ${kill.target}${describeMoment(kill, fault)}`)
  return parts.join(' + ')
}

function describeMoment({ isAtCommit, afterMs }: PlannedKill, fault: PlannedFault | null): string {
  if (isAtCommit) return ' at COMMIT'
  return fault === null ? '' : ` at ${seconds(afterMs)}`
}

function planFault(kind: FaultKind, random: Random): PlannedFault {
  const { fromMs, toMs } = FAULTS[kind]
  return { kind, forMs: fromMs + random.below(toMs - fromMs + 1), draw: random.below(DRAWS) }
}

function planKill(target: PlannedKill['target'], withinMs: number, random: Random): PlannedKill {
  const isAtCommit = target === 'worker' && random.below(100) < AT_COMMIT_PERCENT
  const beforeMs = Math.max(1, isAtCommit ? Math.min(withinMs, AT_COMMIT_WITHIN_MS) : withinMs)
  return { target, afterMs: random.below(beforeMs), isAtCommit, draw: random.below(DRAWS) }
}

/** Gives all kinds once, in random order, before it gives one again. */
function dealer(kinds: readonly FaultKind[], random: Random): () => FaultKind {
  let deck: FaultKind[] = []
  return () => {
    if (deck.length === 0) deck = shuffled(kinds, random)
    const kind = deck.pop()
    if (kind === undefined) throw new RangeError('a plan with faults needs kinds of faults')
    return kind
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const rest = [...items]
  return items.flatMap(() => rest.splice(random.below(rest.length), 1))
}

/** Whole shares that add up to `total`. */
function share(total: number, parts: number, index: number): number {
  return Math.floor((total * (index + 1)) / parts) - Math.floor((total * index) / parts)
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
