/**
 * Bugs that others have had in loops like ours, each put around a port, so that the code
 * under test stays as it is. The simulation must find every one of them; if it does not,
 * its invariants are too weak.
 *
 * Two well-known ones cannot be put here. "Rows are not sorted" is about the order inside
 * one SQL statement, which a simulated database does not run:
 * internal/systems/events/store/postgres.test.ts shows on a real one that batches which
 * share keys never deadlock. "The outbox is written outside the transaction" needs an
 * outbox; the intake writes none. Its nearest relative here is the rejection that is
 * written apart.
 */

import { type PreparedCommit, type Store, StoreError } from '../../engine/intake/store.js'
import type { Disposition, Entry, ReceivedMessage } from '../../engine/message/message.js'
import type { Queue, Receipt } from '../../engine/queue/queue.js'
import { failure } from './database.js'
import type { Bug } from './simulation.js'

type Insert = Store['insert']

/** A queue with something more done to each list of messages, after it was delivered. */
function onDelivery(queue: Queue, act: (messages: readonly ReceivedMessage[]) => void): Queue {
  return {
    ...queue,
    receive: options =>
      queue.receive({
        ...options,
        deliver: messages => {
          options.deliver(messages)
          act(messages)
        }
      })
  }
}

/** Answers an insert as if it had worked. */
async function pretend(
  batch: readonly Entry[],
  onPrepared: Parameters<Insert>[1]
): Promise<readonly Disposition[]> {
  const dispositions = batch.map(() => 'stored' as const)
  await onPrepared({ tx: 'never begun', dispositions })
  return dispositions
}

function deleteAll(queue: Queue, batch: readonly Entry[]): void {
  for (let at = 0; at < batch.length; at += queue.limits.settle) {
    void queue
      .ack(batch.slice(at, at + queue.limits.settle).map(({ message }) => message))
      .catch(() => undefined)
  }
}

export const PLANTED_BUGS = {
  'delete before commit': {
    queue: queue => onDelivery(queue, messages => void queue.ack(messages).catch(() => undefined))
  },

  'delete on handler error': {
    store: (store, { queue }) => ({
      ...store,
      insert: (batch, onPrepared) =>
        store.insert(batch, onPrepared).catch((error: unknown) => {
          deleteAll(queue, batch)
          throw error
        })
    })
  },

  alwaysAcknowledge: {
    store: store => ({
      ...store,
      insert: (batch, onPrepared) =>
        store.insert(batch, onPrepared).catch(() => pretend(batch, onPrepared))
    })
  },

  'retry that skips the failed half': {
    store: store => {
      const skipped = new Set<Entry>()
      return {
        ...store,
        insert: (batch, onPrepared) => {
          if (batch[0] !== undefined && skipped.has(batch[0])) return pretend(batch, onPrepared)
          return store.insert(batch, onPrepared).catch((error: unknown) => {
            const second = batch[batch.length >> 1]
            if (
              error instanceof StoreError &&
              error.fault === 'data' &&
              batch.length > 1 &&
              second !== undefined
            )
              skipped.add(second)
            throw error
          })
        }
      }
    }
  },

  'ignored Failed[]': {
    queue: queue => ({ ...queue, ack: receipts => queue.ack(receipts).then(() => []) })
  },

  'idempotency key without client': { keyOf: ({ messageId }) => messageId },

  'missing rollback': {
    store: (store, { process }) => {
      let isAborted = false
      return {
        ...store,
        insert: async (batch, onPrepared) => {
          if (isAborted) {
            await process.sleep(1)
            throw failure('25P02')
          }
          return store.insert(batch, onPrepared).catch((error: unknown) => {
            isAborted = error instanceof StoreError && error.fault === 'data'
            throw error
          })
        }
      }
    }
  },

  'rejection written apart, and not waited for': {
    store: (store, { connectStore }) => {
      const other = connectStore()
      const writeApart = async (rejected: readonly Entry[]): Promise<void> => {
        for (const entry of rejected) await other.insert([entry], () => Promise.resolve())
      }
      return {
        ...store,
        insert: async (batch, onPrepared) => {
          const valid = batch.filter(({ verdict }) => verdict.kind === 'valid')
          const rejected = batch.filter(({ verdict }) => verdict.kind === 'rejected')
          void writeApart(rejected).catch(() => undefined)
          if (valid.length === 0) return pretend(batch, onPrepared)
          const written = [...(await store.insert(valid, onPrepared))]
          return batch.map(({ verdict }) =>
            verdict.kind === 'valid' ? (written.shift() ?? 'stored') : verdict.rejection.reason
          )
        }
      }
    }
  },

  'heartbeat not stopped': {
    queue: (queue, { process }) => {
      const leaseS = queue.leases?.seconds ?? 0
      const beating = new Set<string>()
      const beat = (receipt: Receipt): void => {
        if (!beating.has(receipt.id)) return
        void queue.leases?.extend([receipt], leaseS).catch(() => undefined)
        process.after(leaseS * 400, () => beat(receipt))
      }
      const started = onDelivery(queue, messages => {
        for (const message of messages) {
          beating.add(message.id)
          process.after(leaseS * 400, () => beat(message))
        }
      })
      return {
        ...started,
        ack: receipts => {
          for (const { id } of receipts) beating.delete(id)
          return queue.ack(receipts)
        }
      }
    }
  },

  'RETURNING read as all': {
    store: store => {
      const asStored = (dispositions: readonly Disposition[]): readonly Disposition[] =>
        dispositions.map(disposition => (disposition === 'duplicate' ? 'stored' : disposition))
      return {
        ...store,
        insert: async (batch, onPrepared) =>
          asStored(
            await store.insert(batch, ({ tx, dispositions }) =>
              onPrepared({ tx, dispositions: asStored(dispositions) })
            )
          )
      }
    }
  },

  'commit error treated as success': {
    store: store => ({
      ...store,
      insert: async (batch, onPrepared) => {
        let prepared: PreparedCommit | null = null
        const note = (about: PreparedCommit): Promise<void> => {
          prepared = about
          return onPrepared(about)
        }
        return store.insert(batch, note).catch((error: unknown) => {
          if (prepared === null) throw error
          return prepared.dispositions
        })
      }
    })
  },

  'no heartbeat': { queue: queue => ({ ...queue, leases: null }) },

  'deletes with the first handle': {
    queue: queue => {
      const first = new Map<string, Receipt>()
      const noted = onDelivery(queue, messages => {
        for (const message of messages) if (!first.has(message.id)) first.set(message.id, message)
      })
      return {
        ...noted,
        ack: receipts => queue.ack(receipts.map(receipt => first.get(receipt.id) ?? receipt))
      }
    }
  },

  'original deleted before its copy is confirmed': {
    writer: writer => ({
      ...writer,
      send: messages => {
        void writer.send(messages)
        return Promise.resolve(messages.map(() => ({ id: 'hoped for' })))
      }
    })
  },

  'copies that the queue did not take are counted as sent': {
    writer: writer => ({
      ...writer,
      send: messages => writer.send(messages).then(() => messages.map(() => ({ id: 'assumed' })))
    })
  },

  'receives while the gate is closed': {
    queue: queue => ({
      ...queue,
      receive: options => queue.receive({ ...options, admit: () => Promise.resolve() })
    })
  }
} as const satisfies Record<string, Bug>

export type PlantedBugName = keyof typeof PLANTED_BUGS
