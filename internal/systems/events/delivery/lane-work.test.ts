import t from 'tap'
import { LaneWork } from '../../../engine/dispatch/lane-work.js'
import { Recorder } from '../../../engine/dispatch/recorder.js'
import type { Post } from '../../../engine/egress/post.js'
import type { PostResult } from '../../../engine/egress/result.js'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import { SILENT_OBSERVER } from '../../../lab/testing/silent-observer.js'
import type { Endpoint } from './endpoint.js'
import type { DueDelivery, EndpointChange, Outcome } from './store/deliveries.js'

const HOUR_MS = 3_600_000
const OK: PostResult = { kind: 'answered', status: 200, responseHead: '', ms: 1 }
const answered = (status: number, retryAfterMs?: number): PostResult => ({
  kind: 'answered',
  status,
  responseHead: '',
  ms: 1,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs })
})
const failed = (errorClass: 'deadline' | 'stopped'): PostResult => ({
  kind: 'failed',
  errorClass,
  detail: '',
  ms: 1
})

interface Row {
  readonly id: string
  attempts: number
  state: 'pending' | 'delivered' | 'dead'
  dueAtMs: number
}

interface Setup {
  readonly endpoint?: Partial<Endpoint>
  readonly owed?: number
  readonly schedule?: readonly number[]
  readonly disableAfterMs?: number
  readonly mayGoOn?: () => boolean
  readonly isCurrent?: () => boolean
  /** How long the database takes to record. */
  readonly settleMs?: number
  /** What the endpoint answers, and after how long. */
  readonly answer?: (
    delivery: string,
    nth: number
  ) => PostResult | { readonly afterMs: number; readonly result: PostResult }
}

/** A lane's work on tables in memory, with what it did. */
function setup({ endpoint: over, owed = 0, answer = () => OK, ...options }: Setup = {}) {
  const clock = createManualClock()
  const rows: Row[] = []
  const owe = (count: number): void => {
    for (let n = 0; n < count; n++)
      rows.push({
        id: String(rows.length + 1),
        attempts: 0,
        state: 'pending',
        dueAtMs: clock.monotonicMs()
      })
  }
  owe(owed)
  const changes: EndpointChange[] = []
  const posts: string[] = []
  const most = { underWay: 0 }
  let underWay = 0
  let readFailure: Error | null = null
  const endpoint: Endpoint = {
    id: 7,
    client: 'client-1',
    url: 'https://recipient.example/events',
    isOrdered: false,
    maxConcurrency: 10,
    maxPerSecond: null,
    timeoutMs: 15_000,
    failingForMs: null,
    circuitOpened: 0,
    signer: { sign: () => 'v1,signature' },
    headers: [],
    ...over
  }
  const deliveries = {
    due(_: number, limit: number, exceptIds: readonly string[]): Promise<readonly DueDelivery[]> {
      if (readFailure !== null) return Promise.reject(readFailure)
      const due = rows.filter(
        row =>
          row.state === 'pending' &&
          row.dueAtMs <= clock.monotonicMs() &&
          !exceptIds.includes(row.id)
      )
      return Promise.resolve(
        due.slice(0, limit).map(({ id, attempts }) => ({
          id,
          attempts,
          scheduled: attempts,
          messageId: id,
          eventType: 'user-app',
          payload: '{}',
          receivedAtMs: 0
        }))
      )
    },
    change(_: number, change: EndpointChange): Promise<void> {
      changes.push(change)
      return Promise.resolve()
    },
    async settle(outcomes: readonly Outcome[]): Promise<void> {
      if (options.settleMs !== undefined)
        await new Promise<void>(resolve => clock.after(options.settleMs ?? 0, resolve))
      for (const { deliveryId, attempt, then } of outcomes) {
        const row = rows.find(({ id }) => id === deliveryId)!
        row.attempts = attempt
        row.state = then.state
        if (then.state === 'pending')
          row.dueAtMs = clock.monotonicMs() + (endpoint.isOrdered ? 0 : then.retryInMs)
      }
    }
  }
  const post = async ({ body }: Post): Promise<PostResult> => {
    const { id } = JSON.parse(body) as { id: string }
    posts.push(id)
    underWay += 1
    most.underWay = Math.max(most.underWay, underWay)
    const said = answer(id, posts.length)
    const { afterMs, result } = 'afterMs' in said ? said : { afterMs: 1, result: said }
    await new Promise<void>(resolve => clock.after(afterMs, resolve))
    underWay -= 1
    return result
  }
  const work = new LaneWork(endpoint, {
    deliveries,
    recorder: new Recorder({ deliveries, clock, random: () => 0.5, onFault: () => undefined }),
    post,
    clock,
    random: () => 0.5,
    schedule: options.schedule ?? [1_000, 60_000],
    disableAfterMs: options.disableAfterMs ?? 120 * HOUR_MS,
    observer: SILENT_OBSERVER,
    mayGoOn: options.mayGoOn ?? (() => true),
    isCurrent: async () => options.isCurrent?.() ?? true
  })
  let end: unknown = 'at work'
  const ended = (): unknown => end
  const run = (): void => {
    work.run().then(
      how => (end = how),
      (error: unknown) => (end = error)
    )
  }
  const failReads = (error: Error): void => {
    readFailure = error
  }
  return { clock, rows, owe, changes, posts, most, work, run, ended, failReads }
}

const states = (rows: readonly Row[]): string => rows.map(({ state }) => state[0]).join('')

for (const maxConcurrency of [1, 3, 10]) {
  t.test(`everything due is sent, at most ${maxConcurrency} at a time`, async t => {
    const { clock, rows, most, run, ended } = setup({ owed: 25, endpoint: { maxConcurrency } })
    run()
    await clock.advanceAsync(200)
    t.equal(ended(), 'idle')
    t.equal(states(rows), 'd'.repeat(25))
    t.ok(rows.every(({ attempts }) => attempts === 1))
    t.equal(most.underWay, maxConcurrency)
  })
}

t.test('one slow answer holds up neither what is due nor what becomes due meanwhile', async t => {
  const answer = (id: string) => (id === '1' ? { afterMs: 10_000, result: OK } : OK)
  const { clock, rows, owe, run, ended } = setup({
    owed: 5,
    endpoint: { maxConcurrency: 2 },
    answer
  })
  run()
  await clock.advanceAsync(1_000)
  t.equal(rows.filter(({ state }) => state === 'delivered').length, 4)
  owe(3)
  await clock.advanceAsync(200)
  t.equal(rows.filter(({ state }) => state === 'delivered').length, 7)
  t.equal(ended(), 'at work')
  await clock.advanceAsync(9_000)
  t.equal(ended(), 'idle')
  t.ok(rows.every(({ state }) => state === 'delivered'))
})

t.test(
  'an ordered endpoint gets one at a time, in their order, each after the one before is recorded',
  async t => {
    const { clock, posts, most, run, ended } = setup({
      owed: 6,
      endpoint: { isOrdered: true, maxConcurrency: 10 },
      settleMs: 10
    })
    run()
    await clock.advanceAsync(9)
    t.same(posts, ['1'])
    await clock.advanceAsync(100)
    t.same(posts, ['1', '2', '3', '4', '5', '6'])
    t.equal(most.underWay, 1)
    t.equal(ended(), 'idle')
  }
)

t.test(
  'an ordered endpoint stops at the first failure, until that delivery is due again',
  async t => {
    const answer = (id: string) => (id === '2' ? answered(500) : OK)
    const { clock, posts, rows, changes, run, ended } = setup({
      owed: 4,
      endpoint: { isOrdered: true },
      answer
    })
    run()
    await clock.advanceAsync(100)
    t.same(posts, ['1', '2'])
    t.equal(states(rows), 'dppp')
    t.equal(ended(), 'idle')
    t.match(changes, [{ kind: 'paused', forMs: 1_000 }, { kind: 'failing' }])
  }
)

t.test('a delivery of an ordered endpoint whose schedule has ended frees the line', async t => {
  const answer = (id: string) => (id === '2' ? answered(500) : OK)
  const { clock, posts, rows, run } = setup({
    owed: 4,
    endpoint: { isOrdered: true },
    answer,
    schedule: []
  })
  run()
  await clock.advanceAsync(100)
  t.same(posts, ['1', '2', '3', '4'])
  t.same(
    rows.map(({ state }) => state),
    ['delivered', 'dead', 'delivered', 'delivered']
  )
})

for (const { status, want } of [
  { status: 200, want: 'delivered' },
  { status: 204, want: 'delivered' },
  { status: 299, want: 'delivered' },
  { status: 199, want: 'pending' },
  { status: 301, want: 'pending' },
  { status: 400, want: 'pending' },
  { status: 404, want: 'pending' },
  { status: 500, want: 'pending' }
] as const) {
  t.test(`${status} means ${want}`, async t => {
    const { clock, rows, run } = setup({ owed: 1, answer: () => answered(status) })
    run()
    await clock.advanceAsync(100)
    t.match(rows, [{ attempts: 1, state: want }])
  })
}

t.test('410 disables the endpoint at once: nothing further is begun', async t => {
  const answer = (_: string, nth: number) => (nth === 3 ? answered(410) : OK)
  const { clock, posts, changes, run, ended } = setup({
    owed: 10,
    endpoint: { maxConcurrency: 1 },
    answer
  })
  run()
  await clock.advanceAsync(100)
  t.equal(posts.length, 3)
  t.match(changes, [{ kind: 'disabled', reason: 'the endpoint answered 410 Gone' }])
  t.equal(ended(), 'idle')
})

for (const status of [429, 503]) {
  t.test(
    `${status} with Retry-After: the endpoint is left alone for so long, and the delivery too`,
    async t => {
      const answer = () => answered(status, 30_000)
      const { clock, posts, rows, changes, run } = setup({
        owed: 5,
        endpoint: { maxConcurrency: 2 },
        answer
      })
      run()
      await clock.advanceAsync(100)
      t.equal(posts.length, 2, 'those that were under way')
      t.match(changes[0], { kind: 'paused', forMs: 30_000 })
      t.match(rows[0], { state: 'pending' })
      t.ok(rows[0]!.dueAtMs >= 30_000)
    }
  )
}

t.test(
  'of pauses that attempts under way ask for one after the other, the longest is told',
  async t => {
    const waits: Readonly<Record<string, number>> = { '1': 30_000, '2': 20_000, '3': 40_000 }
    const answer = (id: string) => ({ afterMs: Number(id), result: answered(503, waits[id]) })
    const { clock, changes, run } = setup({ owed: 3, endpoint: { maxConcurrency: 3 }, answer })
    run()
    await clock.advanceAsync(500)
    t.same(
      changes.map(change => (change.kind === 'paused' ? change.forMs : change.kind)),
      [30_000, 40_000, 'failing']
    )
  }
)

t.test('500 with Retry-After asks for nothing', async t => {
  const { clock, changes, rows, run } = setup({ owed: 1, answer: () => answered(500, 30_000) })
  run()
  await clock.advanceAsync(100)
  t.match(rows, [{ dueAtMs: 1_001 }])
  t.notOk(changes.some(({ kind }) => kind === 'paused'))
})

t.test(
  'ten failures in a row open the circuit: no attempt after those under way, and a pause that the database holds',
  async t => {
    const { clock, posts, rows, changes, run, ended } = setup({
      owed: 100,
      endpoint: { maxConcurrency: 4 },
      answer: () => failed('deadline')
    })
    run()
    await clock.advanceAsync(500)
    t.ok(posts.length >= 10 && posts.length < 14, `${posts.length} attempts`)
    t.equal(rows.filter(({ attempts }) => attempts > 0).length, posts.length, 'each is recorded')
    t.equal(ended(), 'idle')
    t.match(changes.at(0), { kind: 'paused', forMs: 7_500, circuitOpened: 1 })
    t.match(changes.at(-1), { kind: 'failing' })
  }
)

t.test(
  'after a pause one attempt is made; when it fails the pause is longer, and the other deliveries have lost nothing',
  async t => {
    const endpoint = { failingForMs: HOUR_MS, circuitOpened: 3 }
    const { clock, posts, rows, changes, run } = setup({
      owed: 20,
      endpoint,
      answer: () => answered(500)
    })
    run()
    await clock.advanceAsync(500)
    t.equal(posts.length, 1)
    t.equal(rows.filter(({ attempts }) => attempts > 0).length, 1)
    t.same(changes, [{ kind: 'paused', forMs: 60_000, circuitOpened: 4 }], 'told once')
  }
)

t.test(
  'after a pause a success closes the circuit, everything goes on and the endpoint is well again',
  async t => {
    const { clock, rows, changes, run } = setup({
      owed: 20,
      endpoint: { failingForMs: HOUR_MS, circuitOpened: 3 }
    })
    run()
    await clock.advanceAsync(500)
    t.equal(states(rows), 'd'.repeat(20))
    t.same(changes, [{ kind: 'healthy' }])
  }
)

t.test(
  'an endpoint for which nothing has succeeded for too long is disabled; one success, and it is not',
  async t => {
    const rows = [
      { failingForMs: 119.99 * HOUR_MS, answer: answered(500), want: undefined },
      {
        failingForMs: 120 * HOUR_MS,
        answer: answered(500),
        want: 'no attempt has succeeded for 120.0 hours'
      },
      { failingForMs: 500 * HOUR_MS, answer: OK, want: undefined }
    ]
    for (const { failingForMs, answer, want } of rows) {
      const { clock, changes, run } = setup({
        owed: 1,
        endpoint: { failingForMs, circuitOpened: 1 },
        answer: () => answer
      })
      run()
      await clock.advanceAsync(500)
      const disabled = changes.find(change => change.kind === 'disabled')
      t.equal(disabled?.reason, want)
    }
  }
)

t.test('a failure that opened no circuit makes the next lane no more careful', async t => {
  const { clock, posts, run } = setup({
    owed: 5,
    endpoint: { failingForMs: HOUR_MS },
    answer: () => answered(500)
  })
  run()
  await clock.advanceAsync(500)
  t.equal(posts.length, 5)
})

t.test(
  'an endpoint that fails only now and then is noted as failing once, when its last attempt failed',
  async t => {
    const answer = (_: string, nth: number) => (nth % 3 === 0 ? answered(500) : OK)
    const well = setup({ owed: 10, endpoint: { maxConcurrency: 1 }, answer })
    well.run()
    await well.clock.advanceAsync(500)
    t.same(well.changes, [], 'the last one succeeded')
    const ill = setup({ owed: 9, endpoint: { maxConcurrency: 1 }, answer })
    ill.run()
    await ill.clock.advanceAsync(500)
    t.match(ill.changes, [{ kind: 'failing' }])
    t.equal(ill.changes.length, 1)
  }
)

t.test('stopped, nothing further is begun; what is under way is recorded', async t => {
  const answer = () => ({ afterMs: 5_000, result: OK })
  const { clock, posts, rows, work, run, ended } = setup({
    owed: 10,
    endpoint: { maxConcurrency: 3 },
    answer
  })
  run()
  await clock.advanceAsync(1_000)
  work.stop()
  await clock.advanceAsync(1_000)
  t.equal(ended(), 'at work')
  await clock.advanceAsync(4_000)
  t.equal(ended(), 'idle')
  t.equal(posts.length, 3)
  t.equal(states(rows), 'dddppppppp')
})

t.test(
  'an attempt that we cut off ourselves is none: not recorded, and no failure of the endpoint',
  async t => {
    const { clock, rows, changes, work, run, ended } = setup({
      owed: 3,
      answer: () => ({ afterMs: 500, result: failed('stopped') })
    })
    run()
    await clock.advanceAsync(100)
    work.stop()
    await clock.advanceAsync(1_000)
    t.equal(ended(), 'idle')
    t.ok(rows.every(({ attempts, state }) => attempts === 0 && state === 'pending'))
    t.same(changes, [])
  }
)

t.test('a read that fails ends the work with its error, after what is under way', async t => {
  const answer = () => ({ afterMs: 1_000, result: OK })
  const { clock, rows, run, ended, failReads } = setup({ owed: 2, answer })
  run()
  await clock.advanceAsync(10)
  const away = new Error('the database is away')
  failReads(away)
  await clock.advanceAsync(500)
  t.equal(ended(), 'at work')
  await clock.advanceAsync(1_000)
  t.equal(ended(), away)
  t.equal(states(rows), 'dd')
})

t.test(
  'when others wait for a lane the turn ends after a second, and says that there is more',
  async t => {
    const setups = {
      owed: 1_000,
      endpoint: { maxConcurrency: 1 },
      answer: () => ({ afterMs: 100, result: OK })
    }
    const alone = setup(setups)
    alone.run()
    await alone.clock.advanceAsync(5_000)
    t.equal(alone.ended(), 'at work')
    const crowded = setup({ ...setups, mayGoOn: () => false })
    crowded.run()
    await crowded.clock.advanceAsync(1_500)
    t.equal(crowded.ended(), 'more')
    t.ok(
      crowded.posts.length >= 10 && crowded.posts.length <= 12,
      `${crowded.posts.length} in its turn`
    )
  }
)

t.test('what people change of an endpoint counts within seconds, however much is due', async t => {
  let looks = 0
  const isCurrent = (): boolean => ++looks < 3
  const answer = () => ({ afterMs: 10, result: OK })
  const { clock, posts, run, ended } = setup({
    owed: 5_000,
    endpoint: { maxConcurrency: 2 },
    answer,
    isCurrent
  })
  run()
  await clock.advanceAsync(14_000)
  t.equal(ended(), 'at work')
  t.equal(looks, 2)
  await clock.advanceAsync(4_000)
  t.equal(ended(), 'more')
  const sent = posts.length
  await clock.advanceAsync(1_000)
  t.equal(posts.length, sent)
})

t.test('a rate is kept however many may be under way', async t => {
  const { clock, posts, run } = setup({
    owed: 200,
    endpoint: { maxPerSecond: 10, maxConcurrency: 10 }
  })
  run()
  await clock.advanceAsync(10_000)
  t.ok(posts.length >= 105 && posts.length <= 111, `${posts.length} in ten seconds`)
})
