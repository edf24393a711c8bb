/**
 * The sending side of the queue of one simulated process: copies of messages that a quota
 * puts off.
 *
 * Units   virtual milliseconds; delays in seconds.
 * Errors  QueueError and outcomes as the SQS adapter gives them; a copy that is none is a
 *         violation.
 */
import {
  MAX_BATCH_ENTRIES,
  type OutgoingMessage,
  QueueError,
  type QueueWriter,
  type SendOutcome
} from '../../engine/queue/queue.js'
import type { FaultOf } from './faults.js'
import { never, type SimulatedProcess } from './process.js'
import type { QueueServer } from './queue-server.js'
import type { World } from './world.js'

const CALL_DEADLINE_MS = 10_000
/** As the queue allows it. */
const MAX_DELAY_S = 900

export interface WriterSetup {
  readonly world: World
  readonly server: QueueServer
  readonly process: SimulatedProcess
}

export function connectWriter({ world, server, process }: WriterSetup): Pick<QueueWriter, 'send'> {
  const { faults, dice, scheduler } = world

  function check(messages: readonly OutgoingMessage[]): void {
    if (messages.length === 0 || messages.length > MAX_BATCH_ENTRIES)
      world.violate('I9', `a send of ${messages.length} entries`)
    for (const { body, origin = '', delayS = 0 } of messages) {
      if (server.familyOf(origin)[0]?.sent.body !== body)
        world.violate('I2', `a copy that is none: of ${origin}, ${body}`)
      if (!Number.isInteger(delayS) || delayS < 1 || delayS > MAX_DELAY_S)
        world.violate('I9', `a delay of ${delayS} s`)
    }
  }

  function strikeEntry(fault: FaultOf<'send'> | null): SendOutcome | null {
    if (fault?.kind !== 'send-partly-refused' && fault?.kind !== 'send-entry-unsendable')
      return null
    if (!dice.chance(0.5)) return null
    if (fault.kind === 'send-partly-refused') return { code: 'InternalError', retryable: true }
    return { code: 'InvalidMessageContents', retryable: false }
  }

  return {
    async send(messages) {
      if (!process.isAlive || process.dies('send called')) return never()
      process.onCall('send')
      check(messages)
      const fault = faults.strike('send')
      world.note(
        process.name,
        'send',
        messages.map(({ origin = '', delayS = 0 }) => `${origin} in ${delayS} s`).join()
      )
      return new Promise((resolve, reject) => {
        const fail = (code: string, inMs: number): void =>
          void process.after(inMs, () => reject(new QueueError(code, `simulated ${code}`)))
        scheduler.after(world.latencyMs(), () => {
          if (!process.isHeard) return
          if (fault?.kind === 'send-hangs') return fail('ETIMEDOUT', CALL_DEADLINE_MS)
          if (fault?.kind === 'send-refused' || faults.during('queue-down') !== null)
            return fail('ServiceUnavailable', world.latencyMs())
          const outcomes = messages.map(
            message => strikeEntry(fault) ?? { id: server.acceptCopy(message) }
          )
          if (process.dies('send applied')) return
          if (fault?.kind === 'send-answer-lost')
            return fail('ECONNRESET', dice.chance(0.5) ? world.latencyMs() : CALL_DEADLINE_MS)
          process.after(world.latencyMs(), () => {
            if (process.dies('send answered')) return
            for (const outcome of outcomes) if ('id' in outcome) server.confirm(outcome.id)
            resolve(outcomes)
          })
        })
      })
    }
  }
}
