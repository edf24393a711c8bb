import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import t from 'tap'
import { isAlive } from '../../engine/embedded/process-alive.js'
import { createPostgresData } from './postgres-data.js'
import { until } from './until.js'

t.test('a test that is killed leaves neither a server nor its data behind', async t => {
  const dataDir = await createPostgresData(t)
  const script = `
    import { startTestPostgres } from ${JSON.stringify(import.meta.resolve('./test-postgres.js'))}
    const { pid } = await startTestPostgres({ dataDir: ${JSON.stringify(dataDir)}, port: 0 })
    console.log(pid)
    setInterval(() => undefined, 1_000)`
  const hook = new URL('../../../.config/typescript-in-tests.mjs', import.meta.url).href
  const args = [`--import=${hook}`, '--input-type=module', '-e', script]
  const starter = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await once(starter.stdout, 'data')) as [Buffer]
  const pid = Number(String(said))
  t.ok(isAlive(pid), 'the server runs')
  starter.kill('SIGKILL')
  await until('the server is gone, and its data', () => !isAlive(pid) && !existsSync(dataDir))
})
