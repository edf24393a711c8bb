/** `npm start` on the test file's own embedded services, and the processes below it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Program, startProgram, temporaryDirectory } from './programs.js'

export interface StackBench {
  readonly dataDir: string
  /** Starts it; the data is kept for the next start. */
  start(t: Test, over?: Readonly<Record<string, string>>, args?: readonly string[]): Program
  /** The pids of services (from their records) and of programs (from the output). */
  pidsBelow(stack: Program): readonly number[]
  readonly postgresPid: () => number
  /** The number that a statement selects, using the program `sql`. */
  count(t: Test, statement: string): Promise<number>
}

export function createStackBench(t: Test): StackBench {
  const dataDir = join(temporaryDirectory(t), 'data')
  const pidOf = (service: 'postgres' | 'sqs'): number => {
    const text = readFileSync(join(dataDir, `${service}.json`), 'utf8')
    return (JSON.parse(text) as { readonly pid: number }).pid
  }
  const env = {
    DATA_DIR: dataDir,
    EMBEDDED_POSTGRES_PORT: '0',
    EMBEDDED_SQS_PORT: '0',
    SENDER_METRICS_PORT: '0',
    PRODUCERS_FAKE_TIMEOUT: '10',
    WORKERS: '1',
    WAIT_TIME_S: '1'
  }
  return {
    dataDir,
    start: (t, over = {}, args = []) => startProgram(t, 'stack', { ...env, ...over }, args),
    pidsBelow({ output }) {
      const log = readFileSync(join(dataDir, 'logs', 'processor.log'), 'utf8')
      const workers = Array.from(log.matchAll(/"worker":(\d+)/g), ([, pid]) => Number(pid))
      const programs = Array.from(output.matchAll(/pid (\d+)/g), ([, pid]) => Number(pid))
      return [pidOf('postgres'), pidOf('sqs'), ...workers, ...programs]
    },
    postgresPid: () => pidOf('postgres'),
    async count(t, statement) {
      const sql = startProgram(t, 'sql', { DATA_DIR: dataDir }, [statement])
      t.equal(await sql.exited, 0, 'the statement runs')
      return Number(/^(\d+)$/m.exec(sql.output)?.[1])
    }
  }
}
