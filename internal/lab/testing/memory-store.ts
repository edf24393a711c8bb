/**
 * A store in memory for tests: the same decisions as the PostgreSQL one, one transaction
 * at a time. Its rows can be read in the order of the commits.
 *
 * Errors  StoreError `data` for an item that PostgreSQL would refuse, `transient` once it
 *         is closed.
 */
import { type Prepared, type Store, StoreError } from '../../engine/intake/store.js'
import type { Rejection } from '../../engine/message/message.js'
import { type ItemRules, KeptRows } from './kept-rows.js'

export interface MemoryStoreOptions<Item, Refused extends Rejection = Rejection> {
  readonly rules: ItemRules<Item, Refused>
  /** The SQLSTATE with which PostgreSQL refuses the item's row, or null. */
  readonly faultOf: (item: Item) => string | null
}

export interface MemoryStore<Item, Refused extends Rejection = Rejection>
  extends Store<Item, Refused> {
  readonly rows: Pick<KeptRows<Item, Refused>, 'items' | 'rejections'>
}

export function createMemoryStore<Item, Refused extends Rejection = Rejection>({
  rules,
  faultOf
}: MemoryStoreOptions<Item, Refused>): MemoryStore<Item, Refused> {
  const rows = new KeptRows(rules)
  const committed = new Set<string>()
  let transactions = 0
  let isClosed = false
  /** Resolves when the earlier transactions are over. */
  let previous: Promise<void> = Promise.resolve()

  function assertOpen(): void {
    if (isClosed) throw new StoreError('transient', 'closed', 'the store is closed')
  }

  return {
    rows,

    async prepare(batch): Promise<Prepared> {
      let end = (): void => undefined
      const before = previous
      previous = new Promise(resolve => (end = resolve))
      await before
      try {
        assertOpen()
        for (const { verdict } of batch) {
          const code = verdict.kind === 'valid' ? faultOf(verdict.item) : null
          if (code !== null) throw new StoreError('data', code, 'the row cannot be stored')
        }
        const change = rows.decide(batch)
        const tx = String(++transactions)
        return {
          tx,
          dispositions: change.dispositions,
          commit: async () => {
            rows.apply(change)
            committed.add(tx)
            end()
          },
          rollBack: async () => end()
        }
      } catch (error) {
        end()
        throw error
      }
    },

    wasCommitted: async tx => committed.has(tx),
    probe: async () => assertOpen(),
    async close() {
      isClosed = true
      await previous
    }
  }
}
