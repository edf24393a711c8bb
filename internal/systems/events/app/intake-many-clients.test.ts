/**
 * 100,000 clients that each come once: nothing is remembered of a client that has nothing
 * under way.
 */
import { queryObjects } from 'node:v8'
import t from 'tap'
import { Backlog } from '../../../engine/intake/backlog.js'
import { TokenBucket } from '../../../engine/rate/token-bucket.js'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import { writerOf } from '../../../lab/testing/writer-of.js'
import { clientOf, type EventEntry } from '../event/event.js'
import { ClientMetrics, MAX_CLIENT_LABELS } from '../observe/client-metrics.js'
import type { Quota } from '../quota/client-rules.js'
import { QuotaGate } from '../quota/quota-gate.js'

const CLIENTS = 100_000
/** An entry that can be counted. */
class Traced implements EventEntry {
  readonly message: EventEntry['message']
  readonly verdict: EventEntry['verdict']

  constructor({ message, verdict }: EventEntry) {
    this.message = message
    this.verdict = verdict
  }
}
const entry = (clientId: string): EventEntry => {
  const message = {
    id: clientId,
    token: 'handle',
    body: '',
    bytes: 100,
    receiveCount: 1,
    sentAtMs: 0
  }
  return {
    message,
    verdict: {
      kind: 'valid',
      item: { clientId, eventType: 'type', messageId: clientId, schemaId: null, payload: '1' }
    }
  }
}
const flood = (): EventEntry[] => Array.from({ length: CLIENTS }, (_, n) => entry(`client-${n}`))
/** Counts after a full garbage collection. */
const instancesOf = (type: abstract new (...args: never[]) => unknown): number =>
  queryObjects(type, { format: 'count' })
const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

t.test('a backlog keeps nothing of a client once its entries are taken', async t => {
  const limits = { maxMessages: 1_000, maxBytes: 1_000_000, lingerMs: 0, busyMessages: 1 }
  const backlog = new Backlog(limits, { lineOf: clientOf, weightOf: () => 1 })
  const fill = (): void => {
    for (const one of flood()) backlog.add(new Traced(one))
  }
  fill()
  let taken = 0
  while (!backlog.isEmpty) taken += backlog.take().entries.length
  t.equal(taken, CLIENTS)
  backlog.add(entry('one that stays'))
  await nextTurn()
  t.ok(instancesOf(Traced) <= 1, 'no line keeps what was taken')
  t.equal(backlog.take().entries.length, 1)
})

t.test('the account of a client with a quota is forgotten once it owes nothing', async t => {
  const clock = createManualClock()
  const quota: Quota = { maxEventsPerS: 1, maxBytesPerS: 1_000, overQuota: 'delay' }
  const released: EventEntry[] = []
  const nothing = (): void => undefined
  const gate = new QuotaGate(
    {
      rules: { weightOf: () => 1, hasQuotas: true, quotaOf: () => quota },
      writer: writerOf(() => Promise.reject(new Error('nothing should be sent'))),
      clock,
      random: () => 0.5,
      observer: { sentLater: nothing, sendFailed: nothing }
    },
    {
      maxHeldMessages: 1_000,
      maxHeldBytes: 1_000_000,
      release: entries => released.push(...entries),
      isPaused: () => false,
      settle: nothing,
      heldMore: nothing
    }
  )
  const before = instancesOf(TokenBucket)
  t.equal(gate.admit(flood()).length, CLIENTS)
  t.equal(gate.admit(Array.from({ length: 21 }, () => entry('noisy'))).length, 1)
  t.equal(instancesOf(TokenBucket) - before, 2 * (CLIENTS + 1))
  await clock.advanceAsync(10_000)
  t.same(gate.admit([entry('noisy')]), [], 'a client that owes is not forgotten')
  t.equal(instancesOf(TokenBucket) - before, 2, 'one account is left')
  t.equal(gate.held + released.length, 21)
  t.equal((await gate.end()).length + released.length, 21)
})

t.test('metrics have as many series as labels, whatever clients come', async t => {
  const metrics = new ClientMetrics()
  metrics.label(Array.from({ length: MAX_CLIENT_LABELS }, (_, n) => `client-${n}`))
  const entries = flood()
  const keys = Object.keys(
    metrics.count(
      entries,
      entries.map(() => 'stored' as const)
    )
  )
  t.equal(keys.length, MAX_CLIENT_LABELS + 1)
  for (const one of entries) metrics.dwelt(one, 0.1)
  const { values } = metrics.toMetric('dwell', 'help') as {
    values: readonly { labels: { client?: string } }[]
  }
  t.equal(new Set(values.map(({ labels }) => labels.client)).size, MAX_CLIENT_LABELS + 1)
})
