import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { withStartLock } from './start-lock.js'

await t.test('starts in one directory follow each other and never overlap', async t => {
  const directory = t.testdir()
  const steps: string[] = []
  const start = (name: string) =>
    withStartLock(directory, async () => {
      steps.push(`${name} begins`)
      await new Promise(setImmediate)
      steps.push(`${name} ends`)
    })
  await Promise.all([start('a'), start('b')])
  t.equal(steps.length, 4)
  for (const at of [0, 2]) t.equal(steps[at]?.replace('begins', 'ends'), steps[at + 1])
})

await t.test('a failed start lets the next one begin', async t => {
  const directory = t.testdir()
  await t.rejects(
    withStartLock(directory, () => Promise.reject(new Error('no disk'))),
    { message: 'no disk' }
  )
  t.equal(await withStartLock(directory, () => Promise.resolve('begun')), 'begun')
})

await t.test('the lock of a dead process is taken over', async t => {
  const directory = t.testdir()
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  writeFileSync(join(directory, 'starting'), `${pid} gone`)
  t.equal(await withStartLock(directory, () => Promise.resolve('begun')), 'begun')
  t.notOk(existsSync(join(directory, 'starting')))
})

await t.test('the lock of a living process is waited for', async t => {
  const directory = t.testdir()
  const lock = join(directory, 'starting')
  writeFileSync(lock, `${process.pid} somebody`)
  let hasBegun = false
  const start = withStartLock(directory, () => {
    hasBegun = true
    return Promise.resolve()
  })
  await new Promise(setImmediate)
  t.notOk(hasBegun)
  writeFileSync(lock, '0 nobody')
  await start
  t.ok(hasBegun)
})
