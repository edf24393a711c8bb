import cluster from 'node:cluster'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { toWorkerProcess } from './worker-process.js'

t.test(
  'a message to a worker killed a moment ago is lost and does not end the primary',
  async t => {
    const directory = t.testdir({
      'worker.mjs': `process.on('message', () => undefined); process.send('up')`
    })
    cluster.setupPrimary({ exec: join(directory, 'worker.mjs') })
    const worker = cluster.fork()
    const workerProcess = toWorkerProcess(worker)
    const ends: string[] = []
    const ended = new Promise<void>(resolve =>
      workerProcess.onExit(how => {
        ends.push(how)
        resolve()
      })
    )
    await once(worker, 'message')
    workerProcess.kill()
    // Long enough for the process to be gone, without a turn of the event loop in which
    // this process could notice.
    for (const endsAtMs = performance.now() + 200; performance.now() < endsAtMs; );
    t.ok(worker.isConnected(), 'it still counts as connected')
    workerProcess.send({ kind: 'stop' })
    await ended
    t.same(ends, ['SIGKILL'])
  }
)
