/**
 * What a chaos run does, decided before it starts: the same arguments give the same plan.
 *
 * Steps run one after the other. Each sends its share of the events and then has a fault,
 * a kill, or a kill during a fault. Some also have a fault of the sender or the
 * recipient; these do not change the seed's other faults. `draw` is a random number for
 * choices made within a step (which worker, which message).
 *
 * Units   milliseconds.
 */
import { createRandom, type Random } from '../../engine/cli/random.js'
import {
  DELIVERY_KINDS,
  type DeliveryFaultKind,
  FAULTS,
  type FaultKind,
  INTAKE_KINDS,
  type IntakeFaultKind
} from './faults.js'

export interface PlannedFault<Kind extends FaultKind = FaultKind> {
  readonly kind: Kind
  readonly forMs: number
  readonly draw: number
}

export interface PlannedKill {
  readonly target: 'worker' | 'primary'
  /** From the start of the fault, or of the step if it has none. */
  readonly afterMs: number
  /** Then kill at the next COMMIT, before its answer reaches the worker. */
  readonly isAtCommit: boolean
  readonly draw: number
}

export interface PlannedStep {
  readonly events: number
  /** From the first event to the start of the fault. */
  readonly leadMs: number
  readonly fault: PlannedFault<IntakeFaultKind> | null
  readonly kill: PlannedKill | null
  /** At the same time, after a lead of its own. */
  readonly delivery: {
    readonly afterMs: number
    readonly fault: PlannedFault<DeliveryFaultKind>
  } | null
  readonly pauseMs: number
}

export interface Plan {
  readonly seed: string
  readonly events: number
  readonly steps: readonly PlannedStep[]
}

export interface PlanOptions {
  readonly seed: string
  readonly events: number
  readonly kills: number
  readonly faults: number
  /** Faults of the sender or the recipient, at most one per step. */
  readonly deliveryFaults: number
}

/**
 * One kill in this many hits the primary. It also ends the crash loops that the
 * supervisor sees in consecutive kills.
 */
const KILLS_PER_PRIMARY = 4
const KILLS_IN_FAULTS_PERCENT = 50
const LEAD_MS = 150
/**
 * The first event of a burst is delivered soon after it is stored, the last some hundred
 * milliseconds later.
 */
const DELIVERY_LEAD_MS = 500
/** A burst of events lasts about this long. */
const KILL_WITHIN_MS = 250
const AT_COMMIT_PERCENT = 50
/** After the burst there are no more commits. */
const AT_COMMIT_WITHIN_MS = 60
const PAUSE_FROM_MS = 200
const PAUSE_MS = 1_200
const DRAWS = 1_000_000

export function createPlan({ seed, events, kills, faults, deliveryFaults }: PlanOptions): Plan {
  const random = createRandom(`chaos ${seed}`)
  const plannedFaults = Array.from({ length: faults }, dealer(INTAKE_KINDS, random)).map(kind =>
    planFault(kind, random)
  )
  const targets = shuffled(
    Array.from({ length: kills }, (_, index) =>
      index % KILLS_PER_PRIMARY === 0 ? ('primary' as const) : ('worker' as const)
    ),
    random
  )
  const acts: Pick<PlannedStep, 'fault' | 'kill'>[] = plannedFaults.map(fault => {
    const isMet = FAULTS[fault.kind].allowsKill && random.below(100) < KILLS_IN_FAULTS_PERCENT
    const target = isMet ? targets.pop() : undefined
    return { fault, kill: target === undefined ? null : planKill(target, fault.forMs, random) }
  })
  for (const target of targets)
    acts.push({ fault: null, kill: planKill(target, KILL_WITHIN_MS, random) })
  const ordered = shuffled(acts, random)
  const deliveries = planDeliveries(
    deliveryFaults,
    ordered.length,
    createRandom(`delivery ${seed}`)
  )
  const steps = ordered.map(
    (act, index): PlannedStep => ({
      events: share(events, ordered.length, index),
      leadMs: act.fault === null ? 0 : random.below(LEAD_MS),
      pauseMs: PAUSE_FROM_MS + random.below(PAUSE_MS),
      delivery: deliveries[index] ?? null,
      ...act
    })
  )
  return { seed, events, steps }
}

/** The plan as printed lines, several steps on each. */
export function formatPlan({ steps }: Plan, width = 132): readonly string[] {
  const lines: string[] = []
  for (const [index, step] of steps.entries()) {
    const text = `${index + 1} ${describeStep(step)}`
    const last = lines.at(-1)
    if (last !== undefined && last.length + text.length + 3 <= width)
      lines[lines.length - 1] = `${last} · ${text}`
    else lines.push(text)
  }
  return lines
}

export function describeStep({ fault, kill, delivery }: PlannedStep): string {
  const parts: string[] = []
  if (fault !== null) parts.push(describeFault(fault))
  if (kill !== null) parts.push(`kill ${kill.target}${describeMoment(kill, fault)}`)
  if (delivery !== null) parts.push(describeFault(delivery.fault))
  return parts.join(' + ')
}

function describeFault({ kind, forMs }: PlannedFault): string {
  return forMs === 0 ? kind : `${kind} ${seconds(forMs)}`
}

function describeMoment({ isAtCommit, afterMs }: PlannedKill, fault: PlannedFault | null): string {
  if (isAtCommit) return ' at COMMIT'
  return fault === null ? '' : ` at ${seconds(afterMs)}`
}

/** The delivery fault of each step or null, in the order of the steps. */
function planDeliveries(
  faults: number,
  steps: number,
  random: Random
): readonly PlannedStep['delivery'][] {
  const planned = Array.from({ length: faults }, dealer(DELIVERY_KINDS, random)).map(kind => ({
    fault: planFault(kind, random),
    afterMs: random.below(DELIVERY_LEAD_MS)
  }))
  return shuffled([...planned, ...Array.from({ length: steps - faults }, () => null)], random)
}

function planFault<Kind extends FaultKind>(kind: Kind, random: Random): PlannedFault<Kind> {
  const { fromMs, toMs } = FAULTS[kind]
  return { kind, forMs: fromMs + random.below(toMs - fromMs + 1), draw: random.below(DRAWS) }
}

function planKill(target: PlannedKill['target'], withinMs: number, random: Random): PlannedKill {
  const isAtCommit = target === 'worker' && random.below(100) < AT_COMMIT_PERCENT
  const beforeMs = Math.max(1, isAtCommit ? Math.min(withinMs, AT_COMMIT_WITHIN_MS) : withinMs)
  return { target, afterMs: random.below(beforeMs), isAtCommit, draw: random.below(DRAWS) }
}

/** Deals all kinds once, in random order, before repeating one. */
function dealer<Kind extends FaultKind>(kinds: readonly Kind[], random: Random): () => Kind {
  let deck: Kind[] = []
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
