/**
 * The rows of a store, in memory, and what a batch adds to them. It makes the decisions
 * of a system's SQL, by the system's rules. `decide` looks at the committed rows only;
 * `apply` is the COMMIT.
 */
import type {
  Disposition,
  Entry,
  ReceivedMessage,
  Rejection
} from '../../engine/message/message.js'

/** The owner of an item, and the item's id within the owner. */
export interface ItemKey {
  readonly owner: string
  readonly id: string
}

/** What the database decides about a system's items. */
export interface ItemRules<Item, Refused extends Rejection = Rejection> {
  /** Items under one key are one row. */
  readonly keyOf: (item: Item) => ItemKey
  /**
   * Items with equal key and content are duplicates; with only an equal key they
   * conflict.
   */
  readonly contentOf: (item: Item) => string
  readonly conflictOf: (item: Item, message: ReceivedMessage) => Refused
  /** Why an item is refused regardless of what is stored under its key, or null. */
  readonly refusalOf: (item: Item, message: ReceivedMessage) => Refused | null
  /** The item that a refused body would have been, if the rejection records it. */
  readonly itemOf: (rejection: Refused) => Item | null
}

export interface KeptItem<Item> {
  readonly item: Item
  readonly key: ItemKey
  readonly content: string
}

export interface KeptRejection<Refused extends Rejection = Rejection> {
  readonly message: ReceivedMessage
  readonly rejection: Refused
}

/** What a transaction writes if it commits. */
export interface RowChange<Item, Refused extends Rejection = Rejection> {
  readonly items: ReadonlyMap<string, KeptItem<Item>>
  readonly rejections: ReadonlyMap<string, KeptRejection<Refused>>
  readonly dispositions: readonly Disposition[]
}

/** The text that identifies a row. */
export type RowKey = (key: ItemKey) => string

export const rowKey: RowKey = ({ owner, id }) => `${owner}\u0000${id}`

export class KeptRows<Item, Refused extends Rejection = Rejection> {
  /** In the order of their commits. */
  readonly items = new Map<string, KeptItem<Item>>()
  /** By the queue's MessageId. */
  readonly rejections = new Map<string, KeptRejection<Refused>>()
  readonly #rules: ItemRules<Item, Refused>
  readonly #rowKey: RowKey

  constructor(rules: ItemRules<Item, Refused>, toRowKey: RowKey = rowKey) {
    this.#rules = rules
    this.#rowKey = toRowKey
  }

  keyOf(item: Item): string {
    return this.#rowKey(this.#rules.keyOf(item))
  }

  /** Whether an item with this key and content is stored. */
  holds(key: ItemKey, content: string): boolean {
    const stored = this.items.get(this.#rowKey(key))
    return stored?.content === content && rowKey(stored.key) === rowKey(key)
  }

  decide(batch: readonly Entry<Item, Refused>[]): RowChange<Item, Refused> {
    const { contentOf, conflictOf, itemOf, keyOf, refusalOf } = this.#rules
    const items = new Map<string, KeptItem<Item>>()
    const rejections = new Map<string, KeptRejection<Refused>>()
    const dispositions = new Array<Disposition>(batch.length).fill('duplicate')
    const refused: (KeptRejection<Refused> & { readonly index: number })[] = []
    for (const [index, { message, verdict }] of batch.entries()) {
      if (verdict.kind === 'rejected') {
        refused.push({ index, message, rejection: verdict.rejection })
        continue
      }
      const { item } = verdict
      if (this.rejections.has(message.id)) continue
      const key = this.keyOf(item)
      const stored = this.items.get(key) ?? items.get(key)
      const refusal = refusalOf(item, message)
      if (refusal !== null) refused.push({ index, message, rejection: refusal })
      else if (stored === undefined) {
        items.set(key, { item, key: keyOf(item), content: contentOf(item) })
        dispositions[index] = 'stored'
      } else if (stored.content !== contentOf(item))
        refused.push({ index, message, rejection: conflictOf(item, message) })
    }
    for (const { index, message, rejection } of refused) {
      if (this.rejections.has(message.id) || rejections.has(message.id)) continue
      const item = itemOf(rejection)
      const key = item === null ? '' : this.keyOf(item)
      const stored = items.get(key) ?? this.items.get(key)
      if (item !== null && stored?.content === contentOf(item)) continue
      rejections.set(message.id, { message, rejection })
      dispositions[index] = rejection.reason
    }
    return { items, rejections, dispositions }
  }

  /** Adds the rows. Returns a key that already exists, or null. */
  apply({ items, rejections }: RowChange<Item, Refused>): string | null {
    for (const [key, row] of items) {
      if (this.items.has(key)) return key
      this.items.set(key, row)
    }
    for (const [id, row] of rejections) {
      if (this.rejections.has(id)) return id
      this.rejections.set(id, row)
    }
    return null
  }
}
