import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { canReach, pickRunUser, runUser } from './run-user.js'

const stranger = { name: 'stranger', uid: 65_534, gid: 65_534 }

t.test('root runs the server as the least privileged user that already exists', async t => {
  const root = 'root:x:0:0:root:/root:/bin/bash\n'
  const rows = [
    {
      why: 'nobody comes first',
      passwd: `${root}daemon:x:1:1::/:/sbin/nologin\nnobody:x:65534:65533::/:/sbin/nologin\n`,
      name: 'nobody',
      uid: 65_534,
      gid: 65_533
    },
    {
      why: 'if nobody does not exist, an account made for servers',
      passwd: `${root}bin:x:2:2::/:\npostgres:x:70:71::/:\n`,
      name: 'postgres',
      uid: 70,
      gid: 71
    },
    {
      why: 'else any user but root',
      passwd: `${root}# note:x:5:5\n\nada:x:1000:1001::/home/ada:/bin/sh`,
      name: 'ada',
      uid: 1_000,
      gid: 1_001
    }
  ]
  for (const { why, passwd, ...want } of rows) t.same(pickRunUser(passwd), want, why)
  t.throws(() => pickRunUser(root), { code: 'no-run-user', message: /ordinary user/ })
})

t.test(
  'a path is open to another user only if every directory above it can be entered',
  async t => {
    const outer = join(t.testdir(), 'outer')
    const inner = join(outer, 'inner')
    mkdirSync(inner, { recursive: true })
    const file = join(inner, 'file')
    writeFileSync(file, '')
    const modes = (outerMode: number, innerMode: number, fileMode: number) => {
      chmodSync(file, fileMode)
      chmodSync(inner, innerMode)
      chmodSync(outer, outerMode)
    }
    // A directory above this checkout may be closed: then no mode below opens the path.
    modes(0o755, 0o755, 0o644)
    const isCheckoutOpen = canReach(stranger, t.testdirName, 1)
    t.equal(canReach(stranger, file, 4), isCheckoutOpen, 'readable below readable directories')
    t.equal(canReach(stranger, file, 5), false, 'but not executable')
    modes(0o711, 0o711, 0o644)
    t.equal(canReach(stranger, file, 4), isCheckoutOpen, 'entering a directory is enough')
    modes(0o700, 0o755, 0o644)
    t.equal(canReach(stranger, file, 4), false, 'a closed directory further up')
    t.equal(canReach(null, file, 4), true, 'our own access is not checked')
    modes(0o755, 0o755, 0o600)
    t.equal(canReach(stranger, file, 4), false, 'a closed file')
    const { uid, gid } = statSync(file)
    t.equal(
      canReach({ name: 'owner', uid, gid }, file, 4),
      canReach({ name: 'owner', uid, gid }, t.testdirName, 1),
      'the owner has its own bits'
    )
    t.equal(canReach(stranger, join(inner, 'absent'), 4), false, 'a missing file')
  }
)

t.test('only root runs the server as another user', async t => {
  const user = runUser(t.testdir())
  if (process.getuid?.() === 0) t.not(user?.uid, 0)
  else t.equal(user, null)
})
