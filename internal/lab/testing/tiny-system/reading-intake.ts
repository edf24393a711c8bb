/**
 * The intake on readings, with a queue and a store in memory and a manual clock, for
 * tests of the engine's stages.
 */
import type { Test } from 'tap'
import { admitAll } from '../../../engine/intake/admission.js'
import { Intake } from '../../../engine/intake/intake.js'
import type { IntakeObserver } from '../../../engine/intake/observer.js'
import type { IntakeLimits, IntakeOptions } from '../../../engine/intake/options.js'
import type { Store } from '../../../engine/intake/store.js'
import type { Disposition, Entry, ReceivedMessage } from '../../../engine/message/message.js'
import type { KeptRejection } from '../kept-rows.js'
import { createManualClock, type ManualClock } from '../manual-clock.js'
import { createMemoryQueue, type MemoryQueue, type MemoryQueueOptions } from '../memory-queue.js'
import type { MemoryStore } from '../memory-store.js'
import {
  createMemoryReadingStore,
  decodeReading,
  formatReading,
  meterOf,
  type Reading,
  refuseReading
} from './reading.js'

/** The body of a reading; tests that do not name a meter or value do not depend on it. */
export const reading = (id: string, { meter = 'kitchen', value = 0 } = {}): string =>
  formatReading({ meter, id, value })
export const readingIdOf = ({ body }: ReceivedMessage): string => body.split(';')[1] ?? ''

export interface ReadingIntake {
  readonly clock: ManualClock
  readonly queue: MemoryQueue
  /** The ids of stored readings, in the order of the commits. */
  readonly stored: () => readonly string[]
  readonly rejections: () => readonly KeptRejection[]
  readonly intake: Intake<Reading>
  /** The calls to the observer and the journal, in order. */
  readonly heard: string[]
  readonly dispositions: Disposition[]
  /** Deaths of workers that the primary remembers, by message id. */
  readonly deaths: Map<string, number>
  readonly send: (...bodies: string[]) => Promise<void>
}

export interface ReadingIntakeOptions {
  readonly limits?: Partial<IntakeLimits>
  readonly queue?: Partial<MemoryQueueOptions>
  readonly decode?: IntakeOptions<Reading>['decode']
  readonly admission?: IntakeOptions<Reading>['admission']
  /** Called with a transaction that is about to commit. */
  readonly announce?: (tx: string) => Promise<void>
  /** Overrides parts of the memory store. */
  readonly store?: (memory: MemoryStore<Reading>) => Partial<Store<Reading>>
  /** The receive count, if it is not the first delivery. */
  readonly receiveCount?: (message: ReceivedMessage) => number
}

export function setupIntake(t: Test, options: ReadingIntakeOptions = {}): ReadingIntake {
  const clock = createManualClock()
  const memory = createMemoryReadingStore()
  const heard: string[] = []
  const dispositions: Disposition[] = []
  const deaths = new Map<string, number>()
  const queue = createMemoryQueue({
    clock,
    visibilityTimeoutS: 60,
    // Invariant I5, checked at every delete of every test with this intake: a deleted
    // message has its row already.
    onAck: receipts => {
      for (const { id } of receipts)
        t.ok(isKept(id), `${id} is stored or rejected before it is deleted`)
    },
    ...options.queue
  })
  const kept = new Set<string>()
  const isKept = (id: string): boolean => kept.has(id)
  const observer: IntakeObserver<Reading> = {
    received: messages => heard.push(`received ${messages.length}`),
    committed: (entries: readonly Entry<Reading>[], all) => {
      for (const { message } of entries) kept.add(message.id)
      dispositions.push(...all)
      heard.push(`committed ${entries.length}`)
    },
    receiveFailed: error => heard.push(`receive failed ${error.code}`),
    deleteFailed: (code, entries, isFinal) =>
      heard.push(`delete failed ${code} ${entries}${isFinal ? ' final' : ''}`),
    extendFailed: (code, entries) => heard.push(`extend failed ${code} ${entries}`),
    storeFailed: (error, attempt) => heard.push(`store failed ${error.code} ${attempt}`),
    storeRecovered: () => heard.push('store recovered'),
    gateChanged: (isOpen, reasons) =>
      heard.push(isOpen ? 'gate open' : `gate closed ${reasons.join()}`),
    leftToQueue: (_id, error) => heard.push(`left to queue ${String(error)}`)
  }
  const { receiveCount = (message: ReceivedMessage) => message.receiveCount } = options
  const intake = new Intake({
    queue: {
      ...queue,
      // In a test the queue's lease may be shorter than the heartbeat's interval.
      leases: { ...queue.leases, seconds: 60 },
      receive: receiveOptions =>
        queue.receive({
          ...receiveOptions,
          deliver: messages =>
            receiveOptions.deliver(
              messages.map(message => ({ ...message, receiveCount: receiveCount(message) }))
            )
        })
    },
    decode: options.decode ?? decodeReading,
    admission: options.admission ?? admitAll,
    turns: { lineOf: meterOf, weightOf: () => 1 },
    store: { ...memory, ...options.store?.(memory) },
    refuse: refuseReading,
    clock,
    random: () => 0.5,
    limits: {
      batch: { maxMessages: 1_000, maxBytes: 1_000_000, lingerMs: 50, busyMessages: 100 },
      maxInFlightMessages: 100,
      maxInFlightBytes: 1_000_000,
      settleConcurrency: 2,
      settleLingerMs: 10,
      ...options.limits
    },
    journal: {
      async committing(tx, all) {
        heard.push(`committing ${all.length}`)
        await options.announce?.(tx)
      },
      committed: () => heard.push('decided: committed'),
      rolledBack: () => heard.push('decided: rolled back')
    },
    suspectRecord: {
      examining: async id => void heard.push(`examining ${id ?? 'nobody'}`),
      deaths: id => deaths.get(id) ?? 0
    },
    observer
  })
  t.teardown(async () => {
    const stopped = intake.stop(1_000)
    await clock.advanceAsync(2_000)
    await stopped
  })
  return {
    clock,
    queue,
    stored: () => Array.from(memory.rows.items.values(), ({ item }) => item.id),
    rejections: () => [...memory.rows.rejections.values()],
    intake,
    heard,
    dispositions,
    deaths,
    send: async (...bodies) => {
      await queue.send(bodies.map(body => ({ body })))
      await clock.advanceAsync(20)
    }
  }
}
