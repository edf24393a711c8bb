/**
 * The command line of chaos.
 *
 * Errors  ArgumentsError naming every wrong argument at once.
 */
import { ArgumentsError, readFlags, readNumber } from '../../engine/cli/flags.js'
import { FAULT_KINDS, FAULTS } from './faults.js'

export type ChaosCommand = { readonly kind: 'help' } | ({ readonly kind: 'run' } & ChaosArguments)

export interface ChaosArguments {
  /** Null: choose a new one. */
  readonly seed: string | null
  readonly events: number
  readonly kills: number
  readonly faults: number
  readonly deliveryFaults: number
  readonly workers: number
  readonly jsonFile: string | null
}

const DEFAULT_EVENTS = 20_000
const DEFAULT_KILLS = 20
const FAULTS_PER_KILL = 0.5
const DELIVERY_FAULTS_PER_STEP = 0.5
const MAX_ACTS = 10_000
const MAX_WORKERS = 16
/** Enough that every step brings a new event, whose row proves that work continues. */
const MIN_EVENTS_PER_STEP = 20

const USUAL = [
  `${DEFAULT_KILLS} kills`,
  `${DEFAULT_KILLS * FAULTS_PER_KILL} other faults`,
  `${DEFAULT_EVENTS} events`
].join(', ')

export const CHAOS_HELP = `Kills, stops and disconnects the processor, the sender and the services around them while events flow,
then checks every event and every delivery.

  npm run chaos                                        ${USUAL}: about two minutes
  npm run chaos -- --events 200000 --kills 200         about a quarter of an hour
  npm run chaos -- --seed S --events N --kills N       the same plan again

  --seed TEXT      decides the plan and the events (default: a new one, which is printed)
  --events N       events to send, including 10 % duplicates and 5 % invalid ones (default ${DEFAULT_EVENTS})
  --kills N        kill -9 of a worker or the primary of the processor (default ${DEFAULT_KILLS})
  --faults N       other faults, all kinds in turn (default: half as many as kills)
  --sender-faults N  additional faults of the sender and its recipient, kills included
                     (default: half as many as kills and faults)
  --workers N      workers of the processor (default 3)
  --json FILE      plan, figures and verdict as JSON

It starts its own PostgreSQL, queue and recipient under DATA_DIR/chaos, each behind a proxy,
and removes them at the end.

Exit code 0 means: nothing lost, duplicated, altered, wrongly decided or dead-lettered; the metrics equal
the tables; every delete came after its row was visible; the backlog emptied and work resumed in time;
each stored event reached exactly the endpoints that should get it, with a valid signature; repeats kept
their webhook-id; an ordered endpoint received in commit order. Otherwise 1, and all files are kept.

Faults
${FAULT_KINDS.map(kind => `  ${kind.padEnd(27)} ${FAULTS[kind].says}`).join('\n')}
`

export function parseChaosArguments(args: readonly string[]): ChaosCommand {
  const flags = readFlags(args, {
    seed: 'text',
    events: 'text',
    kills: 'text',
    faults: 'text',
    'sender-faults': 'text',
    workers: 'text',
    json: 'text',
    help: 'switch'
  })
  const events = readNumber(flags, 'events', 1, 100_000_000) ?? DEFAULT_EVENTS
  const kills = readNumber(flags, 'kills', 0, MAX_ACTS) ?? DEFAULT_KILLS
  const faults = readNumber(flags, 'faults', 0, MAX_ACTS) ?? Math.round(kills * FAULTS_PER_KILL)
  const deliveryFaults =
    readNumber(flags, 'sender-faults', 0, MAX_ACTS) ??
    Math.round((kills + faults) * DELIVERY_FAULTS_PER_STEP)
  const workers = readNumber(flags, 'workers', 1, MAX_WORKERS) ?? 3
  const needed = (kills + faults) * MIN_EVENTS_PER_STEP
  if (kills + faults === 0)
    flags.problems.push('--kills and --faults are both 0: nothing would happen')
  if (deliveryFaults > kills + faults)
    flags.problems.push(
      `--sender-faults must be at most ${kills + faults}, one for each kill and fault, not ${deliveryFaults}`
    )
  if (events < needed)
    flags.problems.push(
      `--events must be at least ${needed} for ${kills} kills and ${faults} faults, not ${events}`
    )
  if (flags.problems.length > 0) throw new ArgumentsError(flags.problems)
  if (flags.isOn('help')) return { kind: 'help' }
  return {
    kind: 'run',
    seed: flags.text('seed') ?? null,
    events,
    kills,
    faults,
    deliveryFaults,
    workers,
    jsonFile: flags.text('json') ?? null
  }
}
