/**
 * Runs many schedules in a thread of their own, away from the test runner: its hooks into
 * every promise would make them ten times slower.
 *
 * Shapes  a job in, its result out, both plain data.
 */
import { once } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { type Job, type JobResult, runJob } from './job.js'

export interface SimulationThread {
  /**
   * One job after the other: the next one is given when the one before has its result.
   */
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
