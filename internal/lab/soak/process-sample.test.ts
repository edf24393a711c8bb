import { closeSync, openSync } from 'node:fs'
import t from 'tap'
import { parseRssBytes, sampleProcesses } from './process-sample.js'

t.test('resident memory is in bytes; a process that has ended has none', async t => {
  t.equal(
    parseRssBytes('Name:\tnode\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nThreads:\t1\n'),
    1_048_576
  )
  t.equal(parseRssBytes('Name:\tnode\nState:\tZ (zombie)\n'), null)
})

t.test('an open file is one more handle, on systems with /proc', async t => {
  const before = sampleProcesses(process.pid)?.[0]
  const handle = openSync(process.execPath, 'r')
  const after = sampleProcesses(process.pid)?.[0]
  closeSync(handle)
  if (process.platform !== 'linux') return t.equal(before, undefined)
  t.equal(before?.pid, process.pid)
  t.ok((before?.rssBytes ?? 0) > 1_000_000)
  return t.equal(after?.handles, (before?.handles ?? 0) + 1)
})
