import t from 'tap'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import { type Leases, QueueError } from '../queue/queue.js'
import { startHeartbeat } from './heartbeat.js'
import { InFlight } from './in-flight.js'

function setup(extend: Leases['extend'] | null) {
  const clock = createManualClock()
  const inFlight = new InFlight()
  for (let n = 0; n < 7; n++) {
    const about = { body: '', bytes: 0, receiveCount: 1, sentAtMs: 0 }
    inFlight.add({ id: `m${n}`, token: `h${n}`, ...about }, 0)
  }
  const failed: string[] = []
  const stop = startHeartbeat({
    queue: {
      leases: extend === null ? null : { seconds: 40, extend },
      limits: { receive: 3, settle: 3 }
    },
    inFlight,
    clock,
    onFailed: (code, entries) => failed.push(`${code} ${entries}`)
  })
  return { clock, failed, stop }
}

t.test('a queue without leases has no heartbeat', async t => {
  const { clock, stop } = setup(null)
  t.equal(clock.pending(), 0)
  stop()
})

t.test(
  'each message is extended at half its lease, as many per call as the queue takes',
  async t => {
    const calls: string[] = []
    const { clock, stop } = setup(async (receipts, seconds) => {
      calls.push(`${receipts.length} for ${seconds} s`)
      return []
    })
    await clock.advanceAsync(19_999)
    t.same(calls, [])
    await clock.advanceAsync(1)
    t.same(calls, ['3 for 40 s', '3 for 40 s', '1 for 40 s'])
    stop()
    t.equal(clock.pending(), 0)
  }
)

t.test('a failed call is reported once and does not stop the other calls', async t => {
  let calls = 0
  const { clock, failed, stop } = setup(async receipts => {
    if (++calls === 1) throw new QueueError('ECONNREFUSED', 'down')
    return receipts.slice(0, 1).map(({ id }) => ({ id, code: 'Stale', retryable: false }))
  })
  await clock.advanceAsync(20_000)
  t.same(failed, ['ECONNREFUSED 3', 'Stale 1', 'Stale 1'])
  stop()
})
