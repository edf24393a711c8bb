/**
 * A queue with the fewest abilities that a broker may have: no leases, no receive counts,
 * no inspection, no delays; but it takes dead letters on demand. A message is in flight
 * for as long as its receiver is connected.
 *
 * Shapes  a connection to a queue in memory, whose other abilities it hides. `deadBodies`
 *         is shared by all connections to the same queue.
 */
import type { Queue, QueueWriter, Receipt } from '../../engine/queue/queue.js'
import type { MemoryQueue } from './memory-queue.js'

const LIMITS = { receive: 10, settle: 200 }

export function connectBareQueue(memory: MemoryQueue, deadBodies: string[]): Queue {
  const held = new Map<string, Receipt & { readonly body: string }>()
  const ended = (receipts: readonly Receipt[]): void => {
    for (const { id, token } of receipts) if (held.get(id)?.token === token) held.delete(id)
  }
  return {
    limits: LIMITS,
    countsDeliveries: false,
    leases: null,
    inspect: null,

    receive: options =>
      memory.receive({
        ...options,
        deliver(messages) {
          for (const message of messages) held.set(message.id, message)
          options.deliver(messages.map(message => ({ ...message, receiveCount: 1 })))
        }
      }),

    async ack(receipts) {
      const failures = await memory.ack(receipts)
      ended(receipts)
      return failures
    },

    async nack(receipts) {
      const failures = await memory.nack(receipts)
      ended(receipts)
      return failures
    },

    deadLetters: {
      async put(receipts) {
        const dead = receipts.flatMap(({ id, token }) => {
          const message = held.get(id)
          return message?.token === token ? [message.body] : []
        })
        const failures = await memory.ack(receipts)
        deadBodies.push(...dead)
        ended(receipts)
        return failures
      }
    },

    async close() {
      await memory.close()
      await memory.nack([...held.values()])
      held.clear()
    }
  }
}

/** The senders' side of the queue. */
export function connectBareWriter(memory: MemoryQueue): QueueWriter {
  const takes: QueueWriter['takes'] = message =>
    message.delayS === undefined && memory.takes(message)
  return {
    limits: { entries: 200, bytes: memory.limits.bytes, delayS: 0 },
    takes,
    async send(messages) {
      const outcomes = [...(await memory.send(messages.filter(takes)))]
      return messages.map(message =>
        takes(message) ? outcomes.shift()! : { code: 'Refused', retryable: false }
      )
    },
    close: () => Promise.resolve()
  }
}
