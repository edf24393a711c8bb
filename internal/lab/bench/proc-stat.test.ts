import t from 'tap'
import { parseMachineTicks, parsePeakBytes, parseStat, treeOf } from './proc-stat.js'

/**
 * Fields 3 to 20 of /proc/<pid>/stat with the parent and the four CPU times at their
 * places.
 */
const stat = (head: string, parentPid: number): string =>
  `${head} S ${parentPid} 5 5 0 -1 4194304 9 8 7 6 120 30 4 1 20 0 11 0 999`

t.test('CPU time is user and kernel time of a process and its ended children', async t => {
  t.strictSame(parseStat(stat('42 (postgres)', 7)), { pid: 42, parentPid: 7, cpuTicks: 155 })
})

t.test('spaces and parentheses in a process name do not shift the fields', async t => {
  t.strictSame(parseStat(stat('42 (a) b (c) S 1)', 7)), { pid: 42, parentPid: 7, cpuTicks: 155 })
})

t.test('what is not a stat line is null', async t => {
  for (const text of ['', '42 (node) S', 'nonsense'])
    t.equal(parseStat(text), null, JSON.stringify(text))
})

t.test('peak memory is in bytes', async t => {
  t.equal(
    parsePeakBytes('Name:\tnode\nVmPeak:\t  999 kB\nVmHWM:\t   2048 kB\nVmRSS:\t 1 kB\n'),
    2_097_152
  )
  t.equal(parsePeakBytes('Name:\tkthreadd\n'), null)
})

t.test('the machine is busy when it neither idles nor waits for a disk', async t => {
  t.strictSame(
    parseMachineTicks('cpu  100 20 30 400 50 6 7 8 99 99\ncpu0 1 2 3 4 5 6 7 8 9 10\n'),
    { busy: 171, total: 621 }
  )
  t.equal(parseMachineTicks(''), null)
  t.equal(parseMachineTicks('cpu  100 20 30'), null)
})

t.test('a tree is a process with its descendants, without its siblings', async t => {
  const processes = [
    { pid: 1, parentPid: 0, cpuTicks: 0 },
    { pid: 12, parentPid: 11, cpuTicks: 0 },
    { pid: 10, parentPid: 1, cpuTicks: 0 },
    { pid: 11, parentPid: 10, cpuTicks: 0 },
    { pid: 20, parentPid: 1, cpuTicks: 0 }
  ]
  t.strictSame(
    treeOf(10, processes).map(({ pid }) => pid),
    [10, 11, 12]
  )
  t.strictSame(treeOf(99, processes), [])
})
