/**
 * The sending side of the queue of one simulated process: copies of messages that a quota
 * delays.
 *
 * Units   virtual milliseconds; delays in seconds.
 * Errors  outcomes as the SQS adapter gives them; a false copy is a violation.
 */
import type { OutgoingMessage, QueueWriter, SendOutcome } from '../../engine/queue/queue.js'
import { SQS_SEND_LIMITS } from '../../engine/queue/sqs/limits.js'
import type { FaultOf } from './faults.js'
import { never, type SimulatedProcess } from './process.js'
import type { QueueServer } from './queue-server.js'
import type { World } from './world.js'

const CALL_DEADLINE_MS = 10_000

export interface WriterSetup {
  readonly world: World
  readonly server: QueueServer
  readonly process: SimulatedProcess
}

export function connectWriter({
  world,
  server,
  process
}: WriterSetup): Pick<QueueWriter, 'send' | 'limits'> {
  const { faults, dice, scheduler } = world
  const limits = SQS_SEND_LIMITS

  function check(messages: readonly OutgoingMessage[]): void {
    if (messages.length === 0 || messages.length > limits.entries)
      world.violate('I9', `a send of ${messages.length} entries`)
    for (const { body, origin = '', delayS = 0 } of messages) {
      if (server.familyOf(origin)[0]?.sent.body !== body)
        world.violate('I2', `a false copy: of ${origin}, ${body}`)
      if (!Number.isInteger(delayS) || delayS < 1 || delayS > limits.delayS)
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
    limits,
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
      return new Promise(resolve => {
        const fail = (code: string, inMs: number): void =>
          void process.after(inMs, () => resolve(messages.map(() => ({ code, retryable: true }))))
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
