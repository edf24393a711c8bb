/**
 * What every Store promises, as tests: one suite for all systems and adapters.
 *
 * A harness starts without rows and accepts the items of the system's samples.
 */
import { type Test } from 'tap'
import { type Store, StoreError } from '../../engine/intake/store.js'
import type { Entry, Rejection, Violation } from '../../engine/message/message.js'
import { insert, makeEntry, type TestDelivery } from './store-entries.js'

/** Items and rejections of one system. */
export interface StoreSamples<Item, Refused extends Rejection = Rejection> {
  /**
   * The nth item of an owner; a different variant is a different item under the same key.
   */
  readonly item: (n: number, variant?: number, owner?: 0 | 1) => Item
  /** Why validation refuses a body. */
  readonly rejection: Refused
  /**
   * The rejection of a body that would have been this item. Null if the system's
   * rejections do not record the item, because it never judges a body differently later.
   */
  readonly rejectionOf: ((item: Item) => Refused) | null
  /** Items that PostgreSQL cannot hold, by what is wrong with them. */
  readonly unstorable: Readonly<Record<string, Item>>
}

/** A stored rejection; `body` is what was sent, however the row encodes it. */
export interface KeptBody {
  readonly queueMessageId: string
  readonly reason: string
  readonly violations: readonly Violation[]
  readonly body: string
  readonly receiveCount: number
}

export interface StoreHarness<Item, Refused extends Rejection = Rejection> {
  readonly store: Store<Item, Refused>
  /** All that is stored, in any order. */
  readonly items: () => Promise<readonly Item[]>
  /** All that is rejected, in any order. */
  readonly rejections: () => Promise<readonly KeptBody[]>
}

export async function testStore<Item, Refused extends Rejection>(
  t: Test,
  name: string,
  samples: StoreSamples<Item, Refused>,
  createHarness: (t: Test) => Promise<StoreHarness<Item, Refused>>
): Promise<void> {
  const { item, rejection, rejectionOf, unstorable } = samples
  type Harness = StoreHarness<Item, Refused>
  const test = (rule: string, body: (t: Test, harness: Harness) => Promise<void>) =>
    t.test(`${name}: ${rule}`, async t => body(t, await createHarness(t)))
  const valid = (one: Item, delivery: TestDelivery = {}): Entry<Item, Refused> =>
    makeEntry(
      { kind: 'valid', item: one },
      { queueId: `queue of ${JSON.stringify(one)}`, ...delivery }
    )
  const refused = (delivery: TestDelivery = {}, why = rejection): Entry<Item, Refused> =>
    makeEntry({ kind: 'rejected', rejection: why }, delivery)
  const isKept = async ({ items, rejections }: Harness): Promise<readonly [number, number]> => [
    (await items()).length,
    (await rejections()).length
  ]
  /** Sorted, so that the order of the rows does not matter. */
  const sorted = (all: readonly Item[]): readonly string[] =>
    all.map(one => JSON.stringify(one)).sort()
  const many = (count: number): Item[] => Array.from({ length: count }, (_, n) => item(n))

  await test('a new item is stored, and its row is the item', async (t, harness) => {
    t.same(await insert(harness.store, valid(item(1, 0, 1))), ['stored'])
    t.same(await harness.items(), [item(1, 0, 1)])
    t.same(await harness.rejections(), [])
  })

  await test('the same item again is a duplicate, whatever queue message brings it', async (t, harness) => {
    const { store } = harness
    await insert(store, valid(item(1), { queueId: 'first' }))
    const redelivery = valid(item(1), { queueId: 'first', receiveCount: 2 })
    t.same(await insert(store, redelivery), ['duplicate'])
    t.same(await insert(store, valid(item(1), { queueId: 'second' })), ['duplicate'])
    t.same(await isKept(harness), [1, 0])
  })

  await test('another item under the same key is refused with its body; the first one stays', async (t, harness) => {
    const { store, items, rejections } = harness
    await insert(store, valid(item(1)))
    const other = valid(item(1, 1), { queueId: 'other', body: 'the whole body' })
    t.same(await insert(store, other), ['conflict'])
    t.same(await items(), [item(1)])
    t.match(await rejections(), [
      { queueMessageId: 'other', reason: 'conflict', body: 'the whole body' }
    ])
    t.same(await insert(store, other), ['duplicate'], 'its redelivery finds its row')
    t.same(await isKept(harness), [1, 1])
  })

  await test('the same id of two owners is two items', async (t, { store, items }) => {
    t.same(await insert(store, valid(item(1, 0, 0)), valid(item(1, 1, 1))), ['stored', 'stored'])
    t.same(sorted(await items()), sorted([item(1, 0, 0), item(1, 1, 1)]))
  })

  await test('dispositions keep the batch’s order, and a bad entry does not affect the others', async (t, harness) => {
    const { store, items, rejections } = harness
    await insert(store, valid(item(1)), valid(item(2)))
    const batch = [
      refused({ queueId: 'r1' }),
      valid(item(9)),
      valid(item(1)),
      valid(item(3)),
      valid(item(2, 1), { queueId: 'r2' }),
      refused({ queueId: 'r3' }),
      valid(item(5))
    ]
    const { reason } = rejection
    t.same(await insert(store, ...batch), [
      reason,
      'stored',
      'duplicate',
      'stored',
      'conflict',
      reason,
      'stored'
    ])
    t.same(sorted(await items()), sorted([1, 2, 3, 5, 9].map(n => item(n))))
    const ids = (await rejections()).map(({ queueMessageId }) => queueMessageId)
    t.same(ids.sort(), ['r1', 'r2', 'r3'])
  })

  await test('a refused body becomes one row with everything known about it', async (t, {
    store,
    rejections
  }) => {
    const entry = refused({ queueId: 'q', receiveCount: 3, body: '{"whole":"body"}' })
    t.same(await insert(store, entry), [rejection.reason])
    t.same(await insert(store, entry), ['duplicate'])
    const { reason, violations } = rejection
    t.same(await rejections(), [
      { queueMessageId: 'q', reason, violations, body: '{"whole":"body"}', receiveCount: 3 }
    ])
  })

  await test('two deliveries of one refused message in one batch become one row', async (t, {
    store,
    rejections
  }) => {
    const deliveries = [1, 2].map(receiveCount => refused({ receiveCount }))
    t.same(await insert(store, ...deliveries), [rejection.reason, 'duplicate'])
    t.match(await rejections(), [{ receiveCount: 1 }])
  })

  if (rejectionOf !== null) {
    await test('a stored item is never rejected as well, however it is judged later', async (t, harness) => {
      const { store } = harness
      await insert(store, valid(item(1), { queueId: 'q' }))
      const judgedLater = (one: Item) =>
        refused({ queueId: 'q', receiveCount: 2 }, rejectionOf(one))
      t.same(await insert(store, judgedLater(item(1))), ['duplicate'])
      t.same(await isKept(harness), [1, 0])
      const other = rejectionOf(item(1, 1))
      t.same(await insert(store, judgedLater(item(1, 1))), [other.reason], 'another item')
      t.same(await isKept(harness), [1, 1])
    })
  }

  await test('a rejected message is never stored as well, however old the delivery is', async (t, harness) => {
    const { store } = harness
    await insert(store, refused({ queueId: 'q', receiveCount: 2 }))
    const delivery = (receiveCount: number) => valid(item(1), { queueId: 'q', receiveCount })
    t.same(await insert(store, delivery(3)), ['duplicate'], 'a redelivery')
    t.same(await insert(store, delivery(1)), ['duplicate'], 'an earlier one, held up')
    t.same(await isKept(harness), [0, 1])
    t.same(await insert(store, valid(item(1), { queueId: 'another message' })), ['stored'])
  })

  await test('a rejection keeps a body that PostgreSQL cannot hold', async (t, {
    store,
    rejections
  }) => {
    const body = 'NUL \0 and lone \ud800 surrogates'
    const entries = [
      refused({ queueId: 'raw', body }),
      refused({ queueId: 'plain', body: '"\\u0000"' })
    ]
    t.same(await insert(store, ...entries), [rejection.reason, rejection.reason])
    const bodies = new Map((await rejections()).map(row => [row.queueMessageId, row.body]))
    t.equal(bodies.get('raw'), body)
    t.equal(bodies.get('plain'), '"\\u0000"')
    t.same(await insert(store, ...entries), ['duplicate', 'duplicate'])
  })

  await test('an unstorable row is a data fault, and nothing of its batch is stored', async (t, harness) => {
    const { store } = harness
    for (const [why, one] of Object.entries(unstorable)) {
      await t.rejects(
        insert(store, valid(item(1)), valid(one), refused()),
        { name: 'StoreError', fault: 'data' },
        why
      )
    }
    t.same(await isKept(harness), [0, 0])
    t.same(await insert(store, valid(item(1))), ['stored'], 'the next batch is written')
  })

  await test('repeated keys in a batch are written as if their messages came one by one', async (t, harness) => {
    const { store, items } = harness
    const batch = (...variants: number[]) =>
      variants.map((variant, at) =>
        valid(item(7, variant), { queueId: `${variants.length}-${at}` })
      )
    t.same(await insert(store, ...batch(0, 0, 1, 0)), [
      'stored',
      'duplicate',
      'conflict',
      'duplicate'
    ])
    t.same(await items(), [item(7)])
    t.same(await insert(store, ...batch(0, 2, 1)), ['duplicate', 'conflict', 'conflict'], 'later')
    t.same(await items(), [item(7)])
  })

  await test('an earlier rejection does not decide about another message with the same item', async (t, harness) => {
    const { store } = harness
    await insert(store, refused({ queueId: 'q1' }))
    const batch = ['q1', 'q2', 'q3'].map(queueId => valid(item(1), { queueId }))
    t.same(await insert(store, ...batch), ['duplicate', 'stored', 'duplicate'])
    t.same(await isKept(harness), [1, 1])
  })

  await test('a transaction’s dispositions are known before its rows are visible', async (t, harness) => {
    const prepared = await harness.store.prepare([valid(item(1)), refused()])
    t.same(prepared.dispositions, ['stored', rejection.reason])
    t.same(await isKept(harness), [0, 0])
    await prepared.commit()
    t.same(await isKept(harness), [1, 1])
  })

  await test('a rollback leaves nothing behind, and the same batch is then new', async (t, harness) => {
    const { store } = harness
    const batch = [valid(item(1)), refused()]
    const prepared = await store.prepare(batch)
    await prepared.rollBack()
    t.same(await isKept(harness), [0, 0])
    t.equal(await store.wasCommitted(prepared.tx), false)
    t.same(await insert(store, ...batch), ['stored', rejection.reason])
  })

  await test('a committed transaction is recognised, whether it stored or only rejected', async (t, {
    store
  }) => {
    for (const entry of [valid(item(1)), refused({ queueId: 'id "quoted", é' })]) {
      const prepared = await store.prepare([entry])
      await prepared.commit()
      t.equal(await store.wasCommitted(prepared.tx), true)
    }
  })

  await test('a batch holds 1 or 1,000 entries', async (t, harness) => {
    const batch = many(1_000).map(one => valid(one))
    t.same(await insert(harness.store, batch[500]!), ['stored'])
    const want = batch.map((_, n) => (n === 500 ? 'duplicate' : 'stored'))
    t.same(await insert(harness.store, ...batch), want)
    t.same(await isKept(harness), [1_000, 0])
  })

  await test('two concurrent batches with the same items store each item once', async (t, harness) => {
    const { store } = harness
    const batch = many(20).map(one => valid(one))
    const both = await Promise.all([insert(store, ...batch), insert(store, ...batch.toReversed())])
    const count = (disposition: string) => both.flat().filter(one => one === disposition).length
    t.same([count('stored'), count('duplicate')], [20, 20])
    t.same(await isKept(harness), [20, 0])
  })

  await test('a probe succeeds while it works, and a closed store refuses everything', async (t, harness) => {
    const { store } = harness
    await store.probe()
    t.same(await isKept(harness), [0, 0], 'a probe leaves nothing behind')
    await Promise.all([store.close(), store.close()])
    await t.rejects(store.probe(), StoreError)
    await t.rejects(insert(store, valid(item(1))), { name: 'StoreError', fault: 'transient' })
    t.same(await isKept(harness), [0, 0])
  })
}
