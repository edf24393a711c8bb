import t from 'tap'
import { MALFORMED, meterOf, type Reading } from '../../lab/testing/tiny-system/reading.js'
import type { Entry } from '../message/message.js'
import { Backlog } from './backlog.js'

type Waiting = Entry<Reading>

let sent = 0
/** An entry in a meter's line; null: in no line. */
function entry(meter: string | null, bytes = 100): Waiting {
  sent += 1
  const id = String(sent)
  const message = { id, token: 'handle', body: '', bytes, receiveCount: 1, sentAtMs: 0 }
  if (meter === null) return { message, verdict: { kind: 'rejected', rejection: MALFORMED } }
  return { message, verdict: { kind: 'valid', item: { meter, id, value: 0 } } }
}
const many = (meter: string | null, count: number, bytes?: number): Waiting[] =>
  Array.from({ length: count }, () => entry(meter, bytes))
const share = (entries: readonly Waiting[], meter: string) =>
  entries.filter(one => meterOf(one) === meter).length
const ids = (entries: readonly Waiting[]) => entries.map(({ message }) => Number(message.id))

function setup(
  over: { maxMessages?: number; maxBytes?: number; weights?: Record<string, number> } = {}
) {
  const { maxMessages = 10, maxBytes = 1_000_000, weights = {} } = over
  const backlog = new Backlog(
    { maxMessages, maxBytes, lingerMs: 0, busyMessages: 1 },
    { lineOf: meterOf, weightOf: meter => weights[meter] ?? 1 }
  )
  const add = (...entries: Waiting[]) => {
    for (const one of entries) backlog.add(one)
    return entries
  }
  /** Everything, batch by batch. */
  const takeAll = () => {
    const batches: (readonly Waiting[])[] = []
    while (!backlog.isEmpty) batches.push(backlog.take().entries)
    return batches
  }
  return { backlog, add, takeAll }
}

t.test('one batch takes everything that fits, in the order of arrival', async t => {
  const { backlog, add } = setup()
  const all = add(...many('a', 4), ...many('b', 2), ...many('a', 4))
  t.notOk(backlog.overflows)
  t.same(backlog.take(), { entries: all, reached: null })
  t.ok(backlog.isEmpty)
  t.same(backlog.take().entries, [])
})

t.test('a quiet line is in the next batch, whatever a noisy line has queued before it', async t => {
  const { backlog, add, takeAll } = setup()
  add(...many('noisy', 100))
  const quiet = add(entry('quiet'))
  const nobody = add(entry(null))
  t.ok(backlog.overflows)
  const first = backlog.take()
  t.equal(first.reached, 'messages')
  t.equal(first.entries.length, 10)
  t.ok(first.entries.includes(quiet[0]!) && first.entries.includes(nobody[0]!))
  t.equal([first.entries, ...takeAll()].flat().length, 102)
})

t.test(
  'each line keeps its order of arrival, and no entry is lost or handed out twice',
  async t => {
    const { backlog, add, takeAll } = setup({ maxMessages: 7, maxBytes: 3_000 })
    const all: Waiting[] = []
    const batches: (readonly Waiting[])[] = []
    let random = 1
    const draw = (below: number) => {
      random = (random * 48_271) % 2_147_483_647
      return random % below
    }
    for (let step = 0; step < 500; step++) {
      all.push(
        ...add(...many(['a', 'b', 'c', 'd', null][draw(5)] ?? null, draw(6), 1 + draw(2_000)))
      )
      if (draw(2) === 0) batches.push(backlog.take().entries)
    }
    batches.push(...takeAll())
    const taken = batches.flat()
    t.same(
      ids(taken).toSorted((a, b) => a - b),
      ids(all)
    )
    for (const meter of ['a', 'b', 'c', 'd', '']) {
      const own = ids(taken.filter(one => meterOf(one) === meter))
      t.same(
        own,
        own.toSorted((a, b) => a - b),
        meter
      )
    }
    for (const batch of batches) {
      t.ok(batch.length <= 7)
      t.ok(batch.length <= 1 || batch.reduce((sum, { message }) => sum + message.bytes, 0) <= 3_000)
    }
  }
)

t.test('while every line has enough waiting, rows are shared by weight', async t => {
  const { backlog, add } = setup({ maxMessages: 600, weights: { b: 2, c: 3 } })
  add(...many('a', 2_000), ...many('b', 2_000), ...many('c', 2_000))
  const { entries } = backlog.take()
  for (const [meter, expected] of [
    ['a', 100],
    ['b', 200],
    ['c', 300]
  ] as const) {
    const got = share(entries, meter)
    t.ok(Math.abs(got - expected) <= 12, `${meter}: about ${expected} rows, got ${got}`)
  }
})

t.test('turns are measured in bytes: large bodies do not crowd out small ones', async t => {
  const { backlog, add } = setup({ maxMessages: 1_000, maxBytes: 500_000 })
  add(...many('large', 100, 50_000), ...many('small', 3_000, 100))
  const { entries } = backlog.take()
  const bytes = (meter: string) =>
    share(entries, meter) * (meter === 'large' ? 50_000 + 1_024 : 100 + 1_024)
  t.ok(
    Math.abs(bytes('large') - bytes('small')) <= 2 * 51_024,
    `${bytes('large')} and ${bytes('small')}`
  )
})

t.test('a body larger than a batch goes alone, at the latest once its credit suffices', async t => {
  const { add, takeAll } = setup({ maxBytes: 10_000 })
  const [huge] = add(entry('a', 900_000), ...many('b', 30))
  const batches = takeAll()
  t.same(batches.find(batch => batch.includes(huge!))?.length, 1)
  t.equal(batches.flat().length, 31)
})

t.test('entries left over go first when one batch holds everything again', async t => {
  const { backlog, add } = setup()
  add(...many('a', 15))
  const before = backlog.take().entries
  const after = add(...many('a', 3))
  t.same(ids([...before, ...backlog.take().entries]).at(-1), Number(after.at(-1)?.message.id))
  t.ok(backlog.isEmpty)
})

t.test('waiting entries are counted by line, whether or not they are queued in it yet', async t => {
  const { backlog, add } = setup()
  add(...many('a', 12), ...many('b', 2))
  t.same([...backlog.countByLine()].sort(), [
    ['a', 12],
    ['b', 2]
  ])
  const taken = backlog.take().entries
  add(...many('a', 3), entry(null))
  const counts = backlog.countByLine()
  t.equal(counts.get('a'), 15 - share(taken, 'a'))
  t.equal(counts.get(''), 1)
  t.equal(backlog.length, 18 - taken.length)
})
