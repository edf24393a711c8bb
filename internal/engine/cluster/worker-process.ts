/** A worker of `node:cluster` as the supervisor sees it. */
import type { Worker } from 'node:cluster'
import type { ChannelMessage } from './protocol.js'
import type { WorkerProcess } from './supervisor.js'

export function toWorkerProcess<Told extends ChannelMessage, Heard>(
  worker: Worker
): WorkerProcess<Told, Heard> {
  return {
    id: worker.id,
    pid: worker.process.pid ?? 0,
    send: message => {
      // A worker killed a moment ago still counts as connected. Without a callback the
      // failed send would emit an `error` event, which ends this process.
      if (worker.isConnected()) worker.send(message, () => undefined)
    },
    kill: () => worker.process.kill('SIGKILL'),
    onMessage: listener => worker.on('message', listener),
    onExit: listener => {
      // A process can be gone before its last messages have been read; only the end of
      // the channel says that there are no more.
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
