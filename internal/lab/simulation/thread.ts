/**
 * Runs many schedules in a separate thread, away from the test runner, whose promise
 * hooks would make them ten times slower. Job and result are plain data.
 */
import { once } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { type Job, type JobResult, runJob } from './job.js'

export interface SimulationThread {
  /** Runs one job at a time: start the next one after the previous result. */
  run(job: Job): Promise<JobResult>
  end(): Promise<unknown>
}

export function startThread(): SimulationThread {
  const thread = new Worker(new URL(import.meta.url))
  return {
    async run(job) {
      thread.postMessage(job)
      const [result] = (await once(thread, 'message')) as [JobResult]
      return result
    },
    end: () => thread.terminate()
  }
}

if (!isMainThread) {
  parentPort?.on('message', (job: Job) => {
    void runJob(job).then(result => parentPort?.postMessage(result))
  })
}
