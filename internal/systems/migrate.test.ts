import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startProgram, temporaryDirectory } from '../lab/testing/programs.js'
import { SYSTEMS } from './systems.js'

t.test('migrate brings every system up to date, and starts only the database', async t => {
  const dataDir = join(temporaryDirectory(t), 'data')
  const env = { DATA_DIR: dataDir, EMBEDDED_POSTGRES_PORT: '0' }
  for (const msg of ['migrated', 'the database is up to date']) {
    const program = startProgram(t, 'migrate', env)
    t.equal(await program.exited, 0, program.output)
    t.same(
      program.log.filter(line => line['msg'] === msg).map(line => line['system']),
      SYSTEMS.map(({ name }) => name)
    )
  }
  t.same(readdirSync(dataDir).toSorted(), ['postgres', 'postgres.log'], 'no queue, no record')
})

t.test('an unreachable database is reported in one line with the system’s name', async t => {
  const program = startProgram(t, 'migrate', { DB_CONNECTION: 'postgresql://u:p@127.0.0.1:1/d' })
  t.equal(await program.exited, 1)
  t.match(program.output, /^The database cannot be migrated: .* \(ECONNREFUSED, system events\)\n$/)
})
