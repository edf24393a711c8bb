/**
 * Summarizes the turns of the fairness bench.
 *
 * Units   milliseconds; events per second.
 */

import { formatFigures } from '../../engine/cli/table.js'
import { atLeast, atMost, type Goal } from './goals.js'
import { type Spread, spreadOf } from './statistics.js'

export interface FairnessSizes {
  /** Number of alone turns, and of flood turns. */
  readonly rounds: number
  /** Length of one turn. */
  readonly seconds: number
}

export const FAIRNESS_SITUATIONS = [
  'alone',
  'flood',
  'overload',
  'overload without groups'
] as const
export type FairnessSituation = (typeof FAIRNESS_SITUATIONS)[number]

/** What the quiet clients experienced in one turn. */
export interface FairnessTurn {
  readonly situation: FairnessSituation
  readonly quietEvents: number
  /** Until the queue's confirmation; not part of the dwell. */
  readonly sendP99Ms: number
  readonly p50Ms: number
  readonly p99Ms: number
  /**
   * Jain index of the events that the quiet clients had stored when sending ended: 1
   * means equal shares.
   */
  readonly jain: number
  readonly noisySentPerSecond: number
  readonly noisyStoredPerSecond: number
  /** What the noisy client still had in the queue when the quiet ones ended. */
  readonly backlog: number
}

export interface FairnessResult {
  readonly situation: FairnessSituation
  readonly turns: number
  readonly quietEvents: number
  readonly sendP99Ms: Spread
  readonly p50Ms: Spread
  readonly p99Ms: Spread
  /**
   * Each turn's p99 divided by that of the alone turn of its round, or by the median of
   * all alone turns where their numbers differ.
   */
  readonly p99ToAlone: Spread | null
  readonly jain: Spread
  readonly noisySentPerSecond: Spread
  readonly noisyStoredPerSecond: Spread
  readonly backlog: Spread
}

export function summarizeFairness(turns: readonly FairnessTurn[]): readonly FairnessResult[] {
  const alone = turns.filter(({ situation }) => situation === 'alone').map(({ p99Ms }) => p99Ms)
  return FAIRNESS_SITUATIONS.flatMap(situation => {
    const own = turns.filter(turn => turn.situation === situation)
    if (own.length === 0) return []
    const of = (figure: Exclude<keyof FairnessTurn, 'situation'>): Spread =>
      spreadOf(own.map(turn => turn[figure])) as Spread
    return [
      {
        situation,
        turns: own.length,
        quietEvents: own.reduce((sum, { quietEvents }) => sum + quietEvents, 0),
        sendP99Ms: of('sendP99Ms'),
        p50Ms: of('p50Ms'),
        p99Ms: of('p99Ms'),
        p99ToAlone: ratiosTo(
          alone,
          own.map(({ p99Ms }) => p99Ms)
        ),
        jain: of('jain'),
        noisySentPerSecond: of('noisySentPerSecond'),
        noisyStoredPerSecond: of('noisyStoredPerSecond'),
        backlog: of('backlog')
      }
    ]
  })
}

/** 1 where all get the same, 1 / n where one gets everything. */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0)
  const squares = shares.reduce((total, share) => total + share * share, 0)
  return squares === 0 ? 0 : (sum * sum) / (shares.length * squares)
}

export function fairnessTable(results: readonly FairnessResult[]): string {
  const head = [
    'quiet clients',
    'turns',
    'noisy sent/s',
    'stored/s',
    'backlog ≥',
    'send p99 ms',
    'p50 ms',
    'p99 ms (min–max)',
    'p99 / alone (min–max)',
    'Jain'
  ]
  return formatFigures([
    head,
    ...results.map(
      ({
        situation,
        turns,
        noisySentPerSecond,
        noisyStoredPerSecond,
        backlog,
        sendP99Ms,
        p50Ms,
        p99Ms,
        p99ToAlone,
        jain
      }) => [
        situation,
        String(turns),
        Math.round(noisySentPerSecond.median).toLocaleString('en-US'),
        Math.round(noisyStoredPerSecond.median).toLocaleString('en-US'),
        backlog.min.toLocaleString('en-US'),
        sendP99Ms.median.toFixed(1),
        p50Ms.median.toFixed(1),
        withSpread(p99Ms, 1),
        p99ToAlone === null ? 'n/a' : withSpread(p99ToAlone, 2),
        jain.min.toFixed(3)
      ]
    )
  ])
}

export function fairnessGoals(results: readonly FairnessResult[]): readonly Goal[] {
  const flood = results.find(({ situation }) => situation === 'flood')
  return [
    atMost('p99 of the quiet clients, with the flood / alone', 2, '×', flood?.p99ToAlone?.median),
    atLeast('Jain index of the quiet clients in the flood', 0.99, '', flood?.jain.min)
  ]
}

/**
 * Compares the n-th turn with the n-th alone turn, because a shared machine changes from
 * one minute to the next.
 */
function ratiosTo(alone: readonly number[], own: readonly number[]): Spread | null {
  const usual = spreadOf(alone)?.median
  if (usual === undefined) return null
  const isInTurns = own.length === alone.length
  return spreadOf(own.map((ms, n) => ms / ((isInTurns ? alone[n] : usual) ?? usual)))
}

function withSpread({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`
}
