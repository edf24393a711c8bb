/** Starts a baseline in a process of its own. */
import { fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { killAfter, type MeasuredSubject, onceReceiving } from './measured-subject.js'
import type { BaselineReport, BaselineSpec, FromBaseline, ToBaseline } from './protocol.js'

/** Resolves when the baseline is ready to receive. */
export async function startBaseline(spec: BaselineSpec): Promise<MeasuredSubject> {
  const entry = fileURLToPath(new URL(`./subject${extname(import.meta.url)}`, import.meta.url))
  const child = fork(entry, [JSON.stringify(spec)], { detached: true, execArgv: [] })
  const waiting: ((report: BaselineReport) => void)[] = []
  let isStopping = false
  let onReceiving: () => void = () => undefined
  const receiving = new Promise<void>(resolve => {
    onReceiving = resolve
  })
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const failure = new Promise<never>((_, reject) => {
    child.on('message', (message: FromBaseline) => {
      switch (message.kind) {
        case 'receiving':
          return onReceiving()
        case 'report':
          return waiting.shift()?.(message.report)
        case 'failed':
          return reject(new Error(`${spec.name}: ${message.reason}`))
      }
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (!isStopping)
        reject(new Error(`${spec.name} ended by itself (${signal ?? `exit code ${code ?? 0}`})`))
    })
  })
  // Every caller races against this failure. While no caller waits, it must not end the
  // bench.
  failure.catch(() => undefined)

  const ask = (): Promise<BaselineReport> => {
    const report = new Promise<BaselineReport>(resolve => waiting.push(resolve))
    child.send({ kind: 'report?' } satisfies ToBaseline)
    return Promise.race([report, failure])
  }

  const subject: MeasuredSubject = {
    pid: child.pid ?? 0,
    failure,
    async settled() {
      return (await ask()).settled
    },
    async readings() {
      return { dwell: (await ask()).dwell, batchRows: null, commitSeconds: null, lagSeconds: null }
    },
    stop() {
      isStopping = true
      if (child.connected) child.disconnect()
      return killAfter(() => child.kill('SIGKILL'), exited)
    }
  }
  return onceReceiving(subject, receiving)
}
