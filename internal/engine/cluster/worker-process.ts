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
      // One that was killed counts as connected for a moment. Whoever takes no answer is
      // sent an `error` event then, which ends this process.
      if (worker.isConnected()) worker.send(message, () => undefined)
    },
    kill: () => worker.process.kill('SIGKILL'),
    onMessage: listener => worker.on('message', listener),
    onExit: listener => {
      // A process can be gone before its last messages have been read; the channel's end
      // says that there are no more.
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
