/**
 * One worker over all its lives: it starts an intake, kills or stops it as the plan says,
 * and later starts the next one. The intake and its counters are real; only the two
 * ports, the clock and the channel to the primary are simulated.
 *
 * Units   virtual milliseconds.
 */

import { admitAll } from '../../engine/intake/admission.js'
import { Intake } from '../../engine/intake/intake.js'
import type { Store } from '../../engine/intake/store.js'
import type { Rejection } from '../../engine/message/message.js'
import type { Queue, QueueWriter } from '../../engine/queue/queue.js'
import { BATCH_ENTRIES } from '../../engine/queue/sqs/limits.js'
import type { RowKey } from '../testing/kept-rows.js'
import type { SimulatedDatabase } from './database.js'
import { Dice } from './dice.js'
import type { Interruption } from './faults.js'
import type { SentBody } from './load.js'
import type { Primary } from './primary.js'
import { SimulatedProcess } from './process.js'
import { connectQueue } from './queue.js'
import type { QueueServer } from './queue-server.js'
import { connectStore } from './store.js'
import type { SimulatedSystem } from './system.js'
import type { World } from './world.js'
import { connectWriter } from './writer.js'

/** A bug planted around the ports of any system, to see whether it is found. */
export interface PlantedBug {
  readonly queue?: (queue: Queue, around: Around) => Queue
  readonly store?: <Item, Refused extends Rejection>(
    store: Store<Item, Refused>,
    around: AroundStore<Item, Refused>
  ) => Store<Item, Refused>
  readonly writer?: (writer: Writer) => Writer
  /** How the tables find a row. */
  readonly rowKey?: RowKey
}

export type Writer = Pick<QueueWriter, 'send' | 'limits'>

/** What a planted bug may use. */
export interface Around {
  readonly process: SimulatedProcess
}

export interface AroundStore<Item, Refused extends Rejection = Rejection> extends Around {
  readonly queue: Queue
  /** A second connection to the database. */
  readonly connectStore: () => Store<Item, Refused>
}

export interface WorkerSetup<Item, Refused extends Rejection = Rejection> {
  readonly system: SimulatedSystem<Item, Refused>
  readonly world: World
  readonly server: QueueServer
  readonly database: SimulatedDatabase<Item, Refused>
  readonly primary: Primary
  readonly sent: ReadonlyMap<string, SentBody>
  readonly isKept: (id: string) => boolean
  readonly bug: PlantedBug
}

/** The longest time between an intake's stop and the end of its process. */
export const ENDING_MS = 2_000

/** The largest body of a load. */
const BODY_BYTES = 200

export class Worker<Item, Refused extends Rejection = Rejection> {
  readonly #setup: WorkerSetup<Item, Refused>
  readonly #number: number
  #lives = 0
  #process: SimulatedProcess | null = null
  #intake: Intake<Item, Refused> | null = null
  /** Failed deletes and extensions: answered to the process, and reported by it. */
  #failedEntries = { answered: 0, told: 0 }
  /** Callbacks that wait for the stop under way. */
  #stopping: (() => void)[] | null = null

  constructor(setup: WorkerSetup<Item, Refused>, number: number) {
    this.#setup = setup
    this.#number = number
    this.#start()
    for (const fault of setup.world.schedule.faults) {
      if ((fault.kind === 'stop' || fault.kind === 'pause') && fault.worker === number) {
        setup.world.scheduler.after(fault.atMs, () => this.#interrupt(fault))
      }
    }
  }

  get inFlight(): number {
    return this.#intake?.status.inFlight ?? 0
  }

  get isUp(): boolean {
    return this.#process !== null
  }

  /**
   * An orderly stop. `onEnded` is called when the process has ended, or at once if it is
   * already down.
   */
  stop(withinMs: number, onEnded: () => void): void {
    const { world, server } = this.#setup
    const [process, intake] = [this.#process, this.#intake]
    if (process === null || intake === null) {
      onEnded()
      return
    }
    if (this.#stopping !== null) {
      this.#stopping.push(onEnded)
      return
    }
    if (process.dies('stop called')) return
    this.#stopping = [onEnded]
    world.note(process.name, 'is stopped within', Math.round(withinMs))
    const startedMs = world.nowMs
    void intake.stop(withinMs).then(() => {
      if (!process.isAlive) return
      const tookMs = world.nowMs - startedMs
      const isInTime = tookMs < withinMs
      world.note(process.name, 'has stopped', `with ${intake.status.inFlight} in flight`)
      if (isInTime && intake.status.inFlight > 0)
        world.violate('drain', `stopped in time with ${intake.status.inFlight} in flight`)
      if (!isInTime) server.excuseAll(process)
      // The process ends a little later; until then it must not touch a port.
      this.#watchForSignsOfLife(process, isInTime)
      process.after(world.dice.scale(1, ENDING_MS), () => process.end())
    })
  }

  #start(): void {
    const { system, world, server, database, primary, sent, isKept, bug } = this.#setup
    const { schedule } = world
    const process = new SimulatedProcess(world, this.#number, ++this.#lives, dead =>
      this.#hasDied(dead)
    )
    world.note(process.name, 'starts')
    const { observer, journal } = system.observe({
      clock: process.clock,
      send: note => primary.hear(process, note)
    })
    const failedEntries = { answered: 0, told: 0 }
    const queue = connectQueue({
      world,
      server,
      process,
      isKept,
      onEntryFailed: entries => (failedEntries.answered += entries)
    })
    const connect = (): Store<Item, Refused> => connectStore({ world, database, process, sent })
    const store = connect()
    const around = { process }
    const dice = new Dice(schedule.seed, process.name)
    const random = (): number => dice.next()
    const writer = connectWriter({ world, server, process })
    const quotas = {
      rules: schedule.rules,
      writer: bug.writer?.(writer) ?? writer,
      clock: process.clock,
      random
    }
    const intake = new Intake<Item, Refused>({
      queue: bug.queue?.(queue, around) ?? queue,
      decode: message => {
        if (sent.get(message.origin ?? message.id)?.kind === 'killer' && process.isAlive) {
          world.faults.hit('killer')
          world.note(process.name, 'is killed by', message.id)
          process.kill()
        }
        return system.decode(message)
      },
      admission: system.quotas?.admission(quotas) ?? admitAll,
      turns: {
        lineOf: system.lineOf,
        weightOf: line => schedule.rules[line]?.weight ?? 1
      },
      store: bug.store?.(store, { ...around, queue, connectStore: connect }) ?? store,
      refuse: system.refuse,
      clock: process.clock,
      random,
      limits: schedule.limits,
      journal,
      suspectRecord: {
        examining: messageId => primary.hear(process, { kind: 'examining', messageId }),
        deaths: messageId => primary.deaths(messageId)
      },
      observer: {
        ...observer,
        received: messages => {
          observer.received(messages)
          this.#checkBounds()
        },
        deleteFailed: (code, entries, isFinal) => {
          failedEntries.told += entries
          observer.deleteFailed(code, entries, isFinal)
        },
        extendFailed: (code, entries) => {
          failedEntries.told += entries
          observer.extendFailed(code, entries)
        },
        leftToQueue: (id, error) => {
          server.excuse(id)
          observer.leftToQueue(id, error)
        }
      }
    })
    this.#process = process
    this.#intake = intake
    this.#failedEntries = failedEntries
  }

  #hasDied(process: SimulatedProcess): void {
    const { world, server, database, primary } = this.#setup
    world.note(process.name, 'has ended')
    if (process.wasKilled) server.excuseAll(process)
    database.lose(process)
    primary.retire(process)
    const { answered, told } = this.#failedEntries
    if (told < answered)
      world.violate('told failures', `${answered} entries failed, and the worker reported ${told}`)
    for (const onEnded of this.#stopping ?? []) onEnded()
    this.#stopping = null
    this.#process = null
    this.#intake = null
    world.scheduler.after(world.dice.scale(10, 3_000), () => this.#start())
  }

  #interrupt({ kind, forMs }: Interruption): void {
    const { world, server, database } = this.#setup
    const process = this.#process
    if (process === null) return
    world.faults.hit(kind)
    if (kind === 'stop') return this.stop(forMs, () => undefined)
    world.note(process.name, 'stands still for', Math.round(forMs))
    process.pause(forMs)
    database.pause(process)
    server.excuseAll(process)
  }

  /** One receive per poller may exceed the limit. */
  #checkBounds(): void {
    const { world } = this.#setup
    const { limits, pollers } = world.schedule
    const status = this.#intake?.status
    if (status === undefined) return
    const room = pollers * BATCH_ENTRIES
    if (status.inFlight > limits.maxInFlightMessages + room)
      world.violate('I9', `${status.inFlight} messages in flight`)
    if (status.inFlightBytes > limits.maxInFlightBytes + room * BODY_BYTES)
      world.violate('I9', `${status.inFlightBytes} bytes in flight`)
  }

  #watchForSignsOfLife(process: SimulatedProcess, isInTime: boolean): void {
    const { world } = this.#setup
    process.onCall = name => {
      // After a late stop a COMMIT under way may still be answered and its messages
      // deleted.
      if (isInTime || name !== 'ack')
        world.violate('stop', `${process.name} calls ${name} after it has stopped`)
    }
  }
}
