/**
 * Bugs that other systems have had in loops like ours. Each one wraps a port, so that the
 * code under test stays unchanged. The simulation must find every one; otherwise its
 * invariants are too weak.
 *
 * Two well-known bugs cannot be planted here. "Rows are not sorted" concerns the order
 * inside one SQL statement, which the simulated database does not run;
 * internal/systems/events/store/postgres.test.ts shows on a real one that batches with
 * shared keys never deadlock. "The outbox is written outside the transaction" needs an
 * outbox, which the intake does not have. The closest bug here is the rejection written
 * apart.
 */

import { type Prepared, StoreError } from '../../engine/intake/store.js'
import type { Disposition, Entry, ReceivedMessage } from '../../engine/message/message.js'
import type { Queue, Receipt } from '../../engine/queue/queue.js'
import { failure } from './database.js'
import type { PlantedBug } from './worker.js'

/** A queue that also runs `act` on each list of messages after its delivery. */
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

type Batch = readonly Entry<unknown>[]

/** A transaction that does not exist but claims to store everything. */
function pretend(batch: Batch): Prepared {
  const dispositions = batch.map(() => 'stored' as const)
  const nothing = (): Promise<void> => Promise.resolve()
  return { tx: 'never begun', dispositions, commit: nothing, rollBack: nothing }
}

/** A transaction that reports false dispositions. */
function retold(prepared: Prepared, dispositions: readonly Disposition[]): Prepared {
  return { ...prepared, dispositions }
}

/** A transaction that counts as committed whatever its COMMIT returns. */
function assumed(prepared: Prepared): Prepared {
  return { ...prepared, commit: () => prepared.commit().catch(() => undefined) }
}

function deleteAll(queue: Queue, batch: Batch): void {
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
      async prepare(batch) {
        const deleted = (error: unknown): never => {
          deleteAll(queue, batch)
          throw error
        }
        const prepared = await store.prepare(batch).catch(deleted)
        return { ...prepared, commit: () => prepared.commit().catch(deleted) }
      }
    })
  },

  alwaysAcknowledge: {
    store: store => ({
      ...store,
      prepare: batch => store.prepare(batch).then(assumed, () => pretend(batch))
    })
  },

  'retry that skips the failed half': {
    store: store => {
      const skipped = new Set<unknown>()
      return {
        ...store,
        prepare(batch) {
          if (skipped.has(batch[0])) return Promise.resolve(pretend(batch))
          return store.prepare(batch).catch((error: unknown) => {
            const isData = error instanceof StoreError && error.fault === 'data'
            if (isData && batch.length > 1) skipped.add(batch[batch.length >> 1])
            throw error
          })
        }
      }
    }
  },

  'ignored Failed[]': {
    queue: queue => ({ ...queue, ack: receipts => queue.ack(receipts).then(() => []) })
  },

  'idempotency key without client': { rowKey: ({ id }) => id },

  'missing rollback': {
    store: (store, { process }) => {
      let isAborted = false
      return {
        ...store,
        async prepare(batch) {
          if (isAborted) {
            await process.sleep(1)
            throw failure('25P02')
          }
          return store.prepare(batch).catch((error: unknown) => {
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
      const writeApart = async (rejected: Parameters<typeof other.prepare>[0]): Promise<void> => {
        for (const entry of rejected) await (await other.prepare([entry])).commit()
      }
      return {
        ...store,
        async prepare(batch) {
          const valid = batch.filter(({ verdict }) => verdict.kind === 'valid')
          const rejected = batch.filter(({ verdict }) => verdict.kind === 'rejected')
          void writeApart(rejected).catch(() => undefined)
          if (valid.length === 0) return pretend(batch)
          const prepared = await store.prepare(valid)
          const written = [...prepared.dispositions]
          const told = batch.map(({ verdict }) =>
            verdict.kind === 'valid' ? (written.shift() ?? 'stored') : verdict.rejection.reason
          )
          return retold(prepared, told)
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
      const asStored = (disposition: Disposition): Disposition =>
        disposition === 'duplicate' ? 'stored' : disposition
      return {
        ...store,
        prepare: batch =>
          store
            .prepare(batch)
            .then(prepared => retold(prepared, prepared.dispositions.map(asStored)))
      }
    }
  },

  'commit error treated as success': {
    store: store => ({ ...store, prepare: batch => store.prepare(batch).then(assumed) })
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
} as const satisfies Record<string, PlantedBug>

export type PlantedBugName = keyof typeof PLANTED_BUGS
