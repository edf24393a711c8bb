import t from 'tap'
import type { RecipientLedgerEntry } from '../../systems/events/recipient/delivery.js'
import {
  checkDeliveries,
  type DeliveryFault,
  type DeliveryRows,
  type Owed,
  problemOfLine
} from './delivery-check.js'

const owe = (messageId: string, over: Partial<Owed> = {}): Owed => ({
  path: '/all',
  isOrdered: false,
  client: 'client-1',
  messageId,
  eventType: 'user-app',
  state: 'delivered',
  hasSuccess: true,
  ...over
})

const line = (eventId: string, over: Partial<RecipientLedgerEntry> = {}): RecipientLedgerEntry => ({
  webhookId: `id of ${over.path ?? '/all'} ${eventId}`,
  path: '/all',
  eventId,
  clientId: 'client-1',
  eventType: 'user-app',
  valid: true,
  receivedAt: '2026-01-01T00:00:00.000Z',
  ...over
})

async function* linesOf(
  lines: readonly RecipientLedgerEntry[]
): AsyncGenerator<RecipientLedgerEntry> {
  yield* lines
}

const rowsFor = (owed: readonly Owed[]): DeliveryRows => ({
  deliveries: owed.filter(({ state }) => state !== null).length,
  attempts: 9,
  refused: 0,
  disabledEndpoints: 0
})

async function faultsOf(
  owed: readonly Owed[],
  lines: readonly RecipientLedgerEntry[],
  rows: Partial<DeliveryRows> = {}
) {
  const report = await checkDeliveries(owed, linesOf(lines), { ...rowsFor(owed), ...rows })
  return Object.fromEntries(
    Object.entries(report.faults).filter(([, count]) => count > 0)
  ) as Partial<Record<DeliveryFault, number>>
}

t.test('an owed event in the ledger is delivered; its further lines are repeats', async t => {
  const owed = [
    owe('a'),
    owe('b'),
    owe('a', { path: '/ordered', isOrdered: true }),
    owe('b', { path: '/ordered', isOrdered: true })
  ]
  const ordered = { path: '/ordered' }
  const lines = [
    line('b'),
    line('a', ordered),
    line('b', ordered),
    line('a', ordered),
    line('a'),
    line('a')
  ]
  const report = await checkDeliveries(owed, linesOf(lines), rowsFor(owed))
  t.match(report, { owed: 4, delivered: 4, repeated: 2, attempts: 9, examples: [] })
  t.same(
    Object.values(report.faults).filter(count => count > 0),
    []
  )
})

t.test('each kind of fault is found', async t => {
  const both = [owe('a'), owe('b')]
  const found = [line('a'), line('b')]
  t.same(await faultsOf(both, [line('a')]), { lost: 1 })
  t.same(await faultsOf([owe('a'), owe('b', { state: null, hasSuccess: false })], found), {
    withoutDelivery: 1
  })
  t.same(await faultsOf([owe('a'), owe('b', { state: 'pending', hasSuccess: false })], found), {
    pending: 1
  })
  t.same(await faultsOf([owe('a'), owe('b', { state: 'dead', hasSuccess: false })], found), {
    dead: 1
  })
  t.same(await faultsOf([owe('a'), owe('b', { hasSuccess: false })], found), { withoutSuccess: 1 })
  t.same(await faultsOf(both, found, { deliveries: 3 }), { tooMany: 1 })
  t.same(await faultsOf(both, found, { refused: 1 }), { notSigned: 1 })
  t.same(await faultsOf(both, found, { disabledEndpoints: 1 }), { disabledEndpoints: 1 })
  t.same(await faultsOf(both, [line('a'), line('b', { valid: null })]), { notSigned: 1 })
  t.same(await faultsOf(both, [...found, line('c')]), { notOwed: 1 })
  t.same(await faultsOf(both, [...found, line('a', { path: '/other' })]), { notOwed: 1 })
  t.same(await faultsOf(both, [...found, line('a', { clientId: 'client-2' })]), { notOwed: 1 })
  t.same(await faultsOf(both, [...found, line('a', { eventType: 'monitor-app' })]), { notOwed: 1 })
})

t.test('a webhook-id belongs to one delivery, and a delivery has one webhook-id', async t => {
  const both = [owe('a'), owe('b')]
  t.same(await faultsOf(both, [line('a'), line('a', { webhookId: 'another' }), line('b')]), {
    otherIds: 1
  })
  t.same(
    await faultsOf(both, [line('a', { webhookId: 'same' }), line('b', { webhookId: 'same' })]),
    { otherIds: 1 }
  )
})

t.test(
  'an ordered endpoint must accept first what was committed first; repeats do not count',
  async t => {
    const ordered = { path: '/ordered' }
    const owed = ['a', 'b', 'c'].map(id => owe(id, { ...ordered, isOrdered: true }))
    const at = (...ids: readonly string[]) => ids.map(id => line(id, ordered))
    t.same(await faultsOf(owed, at('a', 'b', 'a', 'c', 'b')), {})
    t.same(await faultsOf(owed, at('b', 'a', 'c')), { outOfOrder: 1 })
    t.same(await faultsOf(owed, at('c', 'a', 'b')), { outOfOrder: 2 })
  }
)

t.test('the first example of each fault is reported', async t => {
  const report = await checkDeliveries(
    [owe('a'), owe('b')],
    linesOf([]),
    rowsFor([owe('a'), owe('b')])
  )
  t.equal(report.examples.length, 1)
  t.match(report.examples[0], /not in the ledger, such as \["\/all","client-1","a"\]/)
})

t.test('a line of another kind of ledger is refused', async t => {
  t.equal(problemOfLine(line('a')), null)
  t.match(problemOfLine({ ...line('a'), eventId: 3 }), /eventId/)
  t.match(problemOfLine({ queueMessageId: 'm' }), /path/)
  t.match(problemOfLine(null), /path/)
})
