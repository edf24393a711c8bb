import t from 'tap'
import { createReceiveProblem, type ReceiveStatus } from './receive-problem.js'

const problemOf = createReceiveProblem(20_000)
const receiving = {
  isGateOpen: true,
  gateReasons: [],
  sinceReceiveMs: 100,
  receiveProblem: null
} as const

t.test('a worker says what keeps it from receiving', async t => {
  const rows: readonly (readonly [over: Partial<ReceiveStatus>, want: string | null])[] = [
    [{}, null],
    [{ isGateOpen: false, gateReasons: ['database'] }, 'waiting for the database'],
    [{ receiveProblem: 'ServiceUnavailable' }, 'receives fail (ServiceUnavailable)'],
    [{ sinceReceiveMs: 55_000 }, null],
    [{ sinceReceiveMs: 55_001 }, 'the queue has not answered for 55 s']
  ]
  for (const [over, want] of rows)
    t.equal(problemOf({ ...receiving, ...over }), want, JSON.stringify(over))
})

t.test('a worker whose in-flight work is full is busy, not unready', async t => {
  const full = { isGateOpen: false, gateReasons: ['in-flight-messages'] } as const
  t.equal(problemOf({ ...receiving, ...full, sinceReceiveMs: 90_000 }), null)
})
