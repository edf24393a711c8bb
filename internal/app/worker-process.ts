/** A cluster worker as the supervisor sees it. */
import type { Worker } from 'node:cluster'
import type { WorkerProcess } from '../cluster/supervisor.js'

export function asProcess(worker: Worker): WorkerProcess {
  return {
    id: worker.id,
    pid: worker.process.pid ?? 0,
    send: message => {
      if (worker.isConnected()) worker.send(message)
    },
    kill: () => worker.process.kill('SIGKILL'),
    onExit: listener => {
      // A process can be gone before its last messages have been read; the channel's end says that there are no more.
      let isGone = false
      let how = ''
      const next = (): void => {
        if (isGone) listener(how)
        isGone = true
      }
      worker.once('exit', (code, signal) => {
        how = signal || `exit code ${code}`
        next()
      })
      worker.once('disconnect', next)
    }
  }
}
