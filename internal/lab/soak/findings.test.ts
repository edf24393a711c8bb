import t from 'tap'
import { findIn, type SoakSample, soakGoals, warmUpSeconds } from './findings.js'

const MIB = 1_024 * 1_024
const TOTAL_S = 600

interface Shape {
  readonly rssMib?: (atS: number) => number
  readonly handles?: (atS: number) => number
  /**
   * How many of the events committed so far took up to 20 ms; the others took up to 50.
   */
  readonly fast?: (atS: number) => number
}

/** Ten minutes, a sample every 5 s, a hundred events per second. */
function samplesOf({
  rssMib = () => 100,
  handles = () => 30,
  fast = atS => atS * 100
}: Shape = {}): readonly SoakSample[] {
  return Array.from({ length: TOTAL_S / 5 }, (_, index): SoakSample => {
    const atS = (index + 1) * 5
    return {
      atS,
      processes: [
        { pid: 1, rssBytes: 80 * MIB, handles: 20 },
        { pid: 2, rssBytes: rssMib(atS) * MIB, handles: handles(atS) }
      ],
      heapBytes: (20 + (index % 3)) * MIB,
      lagSeconds: index % 12 === 5 ? 0.04 : 0.01,
      dwell: { bounds: [0.02, 0.05], counts: [fast(atS), atS * 100 - fast(atS), 0], sum: 0 },
      backlog: 0
    }
  })
}

const missed = (shape: Shape): readonly string[] =>
  soakGoals(findIn(samplesOf(shape), TOTAL_S))
    .filter(({ isMet }) => !isMet)
    .map(({ name }) => name)

t.test('a stable system meets every goal', async t => {
  const findings = findIn(samplesOf(), TOTAL_S)
  t.ok(soakGoals(findings).every(({ isMet }) => isMet))
  t.match(findings.processes, [
    { pid: 1, role: 'primary', firstHandles: 20, lastHandles: 20 },
    { pid: 2, role: 'worker', firstRssBytes: 100 * MIB, slope: { slope: 0 } }
  ])
  t.equal(findings.heapBytesByMinute.length, 11)
  t.equal(findings.heapBytesByMinute[0], 20 * MIB, 'the lowest of the minute')
  t.equal(findings.lagMsByMinute[1], 40, 'the longest of the minute')
  t.equal(findings.firstP99Ms?.toFixed(1), '19.8')
})

t.test('memory may grow by less than a MiB in ten minutes', async t => {
  t.same(missed({ rssMib: atS => 100 + (0.99 * atS) / 600 }), [])
  t.same(missed({ rssMib: atS => 100 + (1.01 * atS) / 600 }), ['RSS of worker 2, MiB per 10 min'])
})

t.test(
  'warm-up does not count: a sixth of the time, at least a minute, at most a third',
  async t => {
    t.equal(warmUpSeconds(3_600), 600)
    t.equal(warmUpSeconds(300), 60)
    t.equal(warmUpSeconds(90), 30)
    t.equal(findIn(samplesOf(), TOTAL_S).warmUpS, 100)
    t.same(
      missed({ rssMib: atS => (atS < 100 ? atS : 150), handles: atS => (atS < 100 ? 10 : 30) }),
      []
    )
  }
)

t.test('two more handles are accepted, three are not', async t => {
  t.same(missed({ handles: atS => (atS > 400 ? 32 : 30) }), [])
  t.same(missed({ handles: atS => (atS > 400 ? 33 : 30) }), ['most handles of worker 2'])
  t.same(
    missed({ handles: atS => (atS > 400 || atS === 200 ? 33 : 30) }),
    [],
    'a peak that was reached before is not an increase'
  )
})

t.test('a p99 that rises by a tenth is too much', async t => {
  const slow = findIn(
    samplesOf({ fast: atS => Math.min(atS, 400) * 100 + Math.max(0, atS - 400) * 90 }),
    TOTAL_S
  )
  t.equal(slow.firstP99Ms?.toFixed(1), '19.8')
  t.equal(slow.lastP99Ms?.toFixed(1), '47.0')
  t.match(
    soakGoals(slow).filter(({ isMet }) => !isMet),
    [{ name: /p99/, measured: '19.8 → 47.0 ms, +137.37 %' }]
  )
})

t.test('without samples nothing is proved', async t => {
  t.notOk(soakGoals(findIn([], TOTAL_S)).every(({ isMet }) => isMet))
})
