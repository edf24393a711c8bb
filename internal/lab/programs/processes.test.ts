import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { temporaryDirectory } from '../testing/programs.js'
import { findRunning, signal, untilGone } from './processes.js'

t.test('a process is found by its entry and directory together, stopped or not', async t => {
  const directory = temporaryDirectory(t)
  const entry = join(directory, 'program.mjs')
  writeFileSync(entry, `process.send('up'); setInterval(() => undefined, 1_000)`)
  const child = spawn(process.execPath, [entry], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc']
  })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'message')
  const pid = child.pid ?? 0
  signal(pid, 'SIGSTOP')
  t.match(findRunning(entry, directory), [{ pid, what: entry }])
  t.same(findRunning(entry, temporaryDirectory(t)), [])
  t.same(findRunning(`${entry}.other`, directory), [])
  signal(pid, 'SIGKILL')
  await untilGone([pid], 10_000)
  t.same(findRunning(entry, directory), [])
})
