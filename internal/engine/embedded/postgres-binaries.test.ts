import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { locateServer } from './postgres-binaries.js'

/** A user with exactly the owner's rights to this test's files. */
const owner = { name: 'owner', uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

async function setup(t: Test, postgresMode: number) {
  const packageDir = t.testdir({
    'package.json': JSON.stringify({ version: '1.2.3' }),
    native: {
      bin: { postgres: 'the server' },
      lib: { 'libpq.so.5.18': 'a library' },
      share: { postgresql: { 'postgres.bki': 'catalogs' } },
      'pg-symlinks.json': JSON.stringify([
        { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }
      ])
    }
  })
  await chmod(join(packageDir, 'native', 'bin', 'postgres'), postgresMode)
  const place = mkdtempSync(join(tmpdir(), 'event-process-test-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const log: string[] = []
  return { packageDir, place, log, say: (line: string) => log.push(line) }
}

await t.test(
  'a server whose install script did not run gets its library links in place',
  async t => {
    const { packageDir, place, log, say } = await setup(t, 0o755)
    const native = await locateServer(packageDir, [place], null, say)
    t.equal(native, join(packageDir, 'native'))
    t.equal(readlinkSync(join(native, 'lib', 'libpq.so.5')), 'libpq.so.5.18')
    t.equal(await locateServer(packageDir, [place], null, say), native, 'the next start finds them')
    t.same(log, [])
  }
)

await t.test(
  'a user who may not run the server there gets one copy, reported in one line',
  async t => {
    const { packageDir, place, log, say } = await setup(t, 0o400)
    const native = await locateServer(packageDir, [join(place, 'absent'), place], owner, say)
    t.match(native, new RegExp(`^${place}/event-process-postgres-1[.]2[.]3-[^/]+/native$`))
    t.equal(statSync(join(native, 'bin', 'postgres')).mode & 0o777, 0o755)
    t.equal(statSync(join(native, 'lib', 'libpq.so.5.18')).mode & 0o777, 0o644)
    t.equal(readlinkSync(join(native, 'lib', 'libpq.so.5')), 'libpq.so.5.18')
    t.equal(readFileSync(join(native, 'share', 'postgresql', 'postgres.bki'), 'utf8'), 'catalogs')
    t.same(log, [
      `PostgreSQL runs as owner, who cannot read it in ${packageDir}: using a copy in ${dirname(native)}`
    ])

    writeFileSync(join(native, 'bin', 'postgres'), 'still the first copy')
    t.equal(await locateServer(packageDir, [place], owner, say), native)
    t.equal(
      readFileSync(join(native, 'bin', 'postgres'), 'utf8'),
      'still the first copy',
      'the next start copies nothing'
    )
    t.equal(log.length, 1)
  }
)

await t.test('two starts that copy at once end with one complete copy', async t => {
  const { packageDir, place, say } = await setup(t, 0o400)
  const [first, second] = await Promise.all([
    locateServer(packageDir, [place], owner, say),
    locateServer(packageDir, [place], owner, say)
  ])
  t.equal(first, second)
  t.ok(existsSync(join(first, 'lib', 'libpq.so.5')))
})

await t.test('files that another user put in the shared place are not run', async t => {
  const { packageDir, place, say } = await setup(t, 0o400)
  const copy = dirname(await locateServer(packageDir, [place], owner, say))
  await chmod(copy, 0o777)
  await t.rejects(
    locateServer(packageDir, [place], owner, say),
    { code: 'start-failed', message: /another user/ },
    'writable by all'
  )
  rmSync(copy, { recursive: true })
  mkdirSync(join(place, 'elsewhere'))
  symlinkSync(join(place, 'elsewhere'), copy)
  await t.rejects(
    locateServer(packageDir, [place], owner, say),
    { code: 'start-failed', message: /another user/ },
    'a link'
  )
})

await t.test('without a place that the user can read, the error says why', async t => {
  const { packageDir, place, say } = await setup(t, 0o400)
  await t.rejects(locateServer(packageDir, [join(place, 'absent')], owner, say), {
    code: 'start-failed',
    message: /temporary directory/
  })
})
