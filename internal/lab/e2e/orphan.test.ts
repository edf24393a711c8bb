import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { serviceEnvironment, temporaryDirectory } from '../testing/programs.js'
import { startRawServer } from '../testing/raw-server.js'
import { until } from '../testing/until.js'

const NOBODY = '127.0.0.1:1'
const dist = (path: string): string =>
  JSON.stringify(new URL(`../../../dist/internal/${path}`, import.meta.url).href)

interface Forked {
  readonly worker: Worker
  readonly exit: Promise<readonly [code: number | null, signal: string | null]>
  output: string
}

/**
 * Forks a worker as a primary does; `script` says when `service`, the processor's or the
 * sender's worker, is made.
 */
function fork(
  t: Test,
  service: 'processor' | 'sender',
  env: Readonly<Record<string, string>>,
  script = ''
): Forked {
  const [module, make] =
    service === 'processor' ? ['processor.js', 'createProcessor'] : ['sender.js', 'createSender']
  const exec = join(temporaryDirectory(t), 'worker.mjs')
  writeFileSync(
    exec,
    `import { main } from ${dist('engine/lifecycle/main.js')}
     import { ${make} } from ${dist(`systems/events/app/${module}`)}
     await main(async () => { ${script}; return ${make}(process.env) })`
  )
  cluster.setupPrimary({ exec, silent: true, execArgv: [], args: [] })
  const worker = cluster.fork({
    LOG_FORMAT: 'json',
    SENDER_SECRET_KEYS: `k:${Buffer.alloc(32, 7).toString('base64')}`,
    ...env
  })
  t.teardown(() => worker.process.kill('SIGKILL'))
  const exit = once(worker.process, 'exit') as Promise<[number | null, string | null]>
  const forked: Forked = { worker, exit, output: '' }
  for (const stream of [worker.process.stdout, worker.process.stderr])
    stream?.on('data', chunk => (forked.output += String(chunk)))
  return forked
}

const SERVICES = ['processor', 'sender'] as const

t.test('a worker whose primary is gone before it starts does not start', async t => {
  const env = serviceEnvironment(`postgres://u:p@${NOBODY}/d`, { endpoint: `http://${NOBODY}` })
  const isGone = `await new Promise(resolve => process.once('disconnect', resolve)); process.stdout.write('gone\\n')`
  for (const service of SERVICES) {
    const forked = fork(t, service, env, `process.send('up'); ${isGone}`)
    await once(forked.worker, 'message')
    forked.worker.process.disconnect()
    t.same(await forked.exit, [0, null], service)
    t.match(forked.output, /^gone\n/)
    t.notMatch(forked.output, /cannot|fatal/)
  }
})

t.test('an orphan that waits for a silent database ends itself', async t => {
  for (const service of SERVICES) {
    const silent = await startRawServer(t, () => undefined)
    const env = serviceEnvironment(`postgres://u:p@127.0.0.1:${silent.port}/d`, {
      endpoint: `http://127.0.0.1:${silent.port}`
    })
    const forked = fork(t, service, { ...env, SHUTDOWN_TIMEOUT_MS: '500' })
    await until('it has asked the server', () => silent.sockets.length > 0)
    forked.worker.process.disconnect()
    t.same(await forked.exit, [1, null], service)
    t.match(forked.output, 'the primary is gone and draining takes too long: exiting')
  }
})
