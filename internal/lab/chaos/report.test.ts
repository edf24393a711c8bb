import t from 'tap'
import { type Accounting, createReport } from '../../systems/events/verify/report.js'
import type { DeliveryOutcome } from './delivery-run.js'
import { createPlan } from './plan.js'
import { CHAOS_SCHEMA, type ChaosResult, formatChaosResult, goalsOf, judgeRun } from './report.js'

const tally: Accounting = {
  sent: 100,
  events: 90,
  stored: 85,
  duplicates: 10,
  rejected: 5,
  rejectedByReason: { 'not-json': 5 },
  unaccounted: 0,
  duplicateRows: 0,
  altered: 0,
  both: 0,
  wrong: 0
}

function reportOf(
  over: Partial<Accounting> = {},
  { queue = 0, deadLetters = 0, unlisted = 0, stored = 85 } = {}
) {
  const rows = {
    messageRows: 85,
    rejectionRows: 5,
    unlistedMessages: unlisted,
    unlistedRejections: 0
  }
  const clients = [{ clientId: 'client-1', ...tally, ...over }]
  return createReport({ clients, examples: [], ...rows }, { queue, deadLetters }, null, {
    stored,
    rejected: 5
  })
}

function deliveryOf(
  faults: Partial<DeliveryOutcome['report']['faults']> = {},
  deliveredMs: number | null = 2_000
): DeliveryOutcome {
  const none = {
    lost: 0,
    withoutDelivery: 0,
    pending: 0,
    dead: 0,
    withoutSuccess: 0,
    tooMany: 0,
    notOwed: 0,
    notSigned: 0,
    otherIds: 0,
    outOfOrder: 0,
    disabledEndpoints: 0
  }
  const report = {
    owed: 120,
    delivered: 120,
    repeated: 7,
    attempts: 131,
    faults: { ...none, ...faults },
    examples: []
  }
  return { kills: { worker: 4, primary: 2 }, deliveredMs, report }
}

function resultOf(over: Partial<ChaosResult> = {}): ChaosResult {
  return {
    schema: CHAOS_SCHEMA,
    startedAt: '2026-01-01T00:00:00.000Z',
    seconds: 10,
    workers: 3,
    plan: createPlan({ seed: 's', events: 100, kills: 1, faults: 1, deliveryFaults: 1 }),
    kills: { worker: 3, primary: 1 },
    faults: { 'database-kill': 2, 'worker-stop': 1 },
    commits: [{ kind: 'database-kill', tookMs: 800 }],
    receives: [],
    drainMs: 1_000,
    looks: 5,
    report: reportOf(),
    delivery: deliveryOf(),
    traffic: { received: 103, redelivered: 3, mostReceives: 2 },
    deletesChecked: 100,
    noted: { 'answers to COMMIT cut off': 4 },
    replacements: [],
    startMs: [900],
    violations: [],
    ...over
  }
}

t.test('a run with nothing wrong passes', async t => {
  t.same(judgeRun(resultOf()), [])
})

t.test('each kind of fault is named', async t => {
  const rows: readonly (readonly [Partial<ChaosResult>, RegExp])[] = [
    [{ report: reportOf({ unaccounted: 2 }) }, /^lost: 2/],
    [{ report: reportOf({ duplicateRows: 1 }) }, /^duplicate rows: 1/],
    [{ report: reportOf({ altered: 1 }) }, /^altered: 1/],
    [{ report: reportOf({ both: 1 }) }, /^stored and rejected: 1/],
    [{ report: reportOf({ wrong: 1 }) }, /^wrongly decided: 1/],
    [{ report: reportOf({}, { deadLetters: 1 }) }, /^dead-lettered: 1/],
    [{ report: reportOf({}, { queue: 1 }) }, /^still queued: 1/],
    [{ report: reportOf({}, { unlisted: 1 }) }, /^rows that nobody sent: 1/],
    [{ report: reportOf({}, { stored: 84 }) }, /^stored: the counters say 84, there are 85 rows/],
    [{ delivery: deliveryOf({ lost: 3 }) }, /^deliveries lost: 3/],
    [{ delivery: deliveryOf({ outOfOrder: 1 }) }, /^deliveries outOfOrder: 1/],
    [{ violations: ['step 3: worker 7 died by itself'] }, /^step 3: worker 7/]
  ]
  for (const [over, want] of rows) {
    const wrong = judgeRun(resultOf(over))
    t.equal(wrong.length, 1, String(want))
    t.match(wrong[0], want)
  }
})

t.test('a goal is missed above its limit, not at it', async t => {
  const replaced = (tookMs: number, restartInMs: number) => ({
    diedAtMs: 1_000,
    restartInMs,
    startedAtMs: 1_000 + tookMs,
    readyAtMs: null
  })
  const rows: readonly (readonly [Partial<ChaosResult>, boolean])[] = [
    [{ drainMs: 60_000 }, true],
    [{ drainMs: 60_001 }, false],
    [{ delivery: deliveryOf({}, 120_000) }, true],
    [{ delivery: deliveryOf({}, 120_001) }, false],
    [{ commits: [{ kind: 'database-kill', tookMs: 5_000 }] }, true],
    [{ commits: [{ kind: 'database-kill', tookMs: 5_001 }] }, false],
    [{ commits: [{ kind: 'connection-blackhole', tookMs: 15_000 }] }, true],
    [{ commits: [{ kind: 'connection-blackhole', tookMs: 15_001 }] }, false],
    [{ receives: [{ kind: 'queue-hang', tookMs: 30_000 }] }, true],
    [{ receives: [{ kind: 'queue-hang', tookMs: 30_001 }] }, false],
    [{ replacements: [replaced(2_000, 900)] }, true],
    [{ replacements: [replaced(2_001, 900)] }, false],
    [{ replacements: [replaced(9_000, 8_000)] }, true]
  ]
  for (const [over, isMet] of rows) {
    const result = resultOf(over)
    t.equal(
      goalsOf(result).every(goal => goal.isMet),
      isMet,
      JSON.stringify(over)
    )
    t.equal(judgeRun(result).length, isMet ? 0 : 1)
  }
})

t.test('the tables show counts and times', async t => {
  const text = formatChaosResult(resultOf())
  for (const line of [
    /kill -9 of a worker +3\n/,
    /kill -9 of the primary +1\n/,
    /database-kill +2, commit after ≤ 0\.8 s\n/,
    /worker-stop +1\n/,
    /answers to COMMIT cut off +4\n/,
    /events sent +100\n/,
    /stored: \/metrics = rows +85 = 85\n/,
    /kill -9 of a worker of the sender +4\n/,
    /kill -9 of the sender’s primary +2\n/,
    /deliveries owed +120\n/,
    / {2}delivered, with a valid signature +120\n/,
    / {2}repeated, under the same webhook-id +7\n/,
    / {2}attempts recorded +131\n/,
    /no delivery pending after the last fault +≤ 120 s +2\.0 s +1 +met\n/,
    /backlog empty after the last fault +≤ 60 s +1\.0 s +1 +met\n/,
    /queue back → first receive +≤ 30 s +– +0 +met\n/
  ])
    t.match(text, line)
})
