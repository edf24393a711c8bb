import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createTestDatabase } from '../testing/database.js'
import {
  type Processor,
  sendBodies,
  serviceEnvironment,
  startProcessor
} from '../testing/programs.js'
import { startTestSqs } from '../testing/sqs.js'

const { connectionString, pool } = await createTestDatabase(t)

const EVENTS = 25
/**
 * Loaded into every worker before the program. The first worker to reach the point
 * signals itself there and writes its pid.
 */
const STRIKE = `
import cluster from 'node:cluster'
import { existsSync, writeFileSync } from 'node:fs'
import pg from ${JSON.stringify(import.meta.resolve('pg'))}
import { Pool } from ${JSON.stringify(import.meta.resolve('undici'))}

const { STRIKE_AT, STRIKE_WITH, STRIKE_FILE } = process.env
const reach = point => {
  if (!cluster.isWorker || point !== STRIKE_AT || existsSync(STRIKE_FILE)) return
  writeFileSync(STRIKE_FILE, String(process.pid))
  process.kill(process.pid, STRIKE_WITH)
}
const isInsert = query => String(query?.text).includes('INSERT INTO message') && query.values[0].length > 20
const query = pg.Client.prototype.query
pg.Client.prototype.query = function (...args) {
  if (isInsert(args[0])) reach('before INSERT')
  if (args[0] === 'COMMIT') reach('before COMMIT')
  const result = query.apply(this, args)
  return args[0] !== 'COMMIT' ? result : result.then(answer => {
    reach('after COMMIT')
    return answer
  })
}
const dispatch = Pool.prototype.dispatch
Pool.prototype.dispatch = function (options, handler) {
  if (options.headers.includes('AmazonSQS.DeleteMessageBatch')) {
    const end = handler.onResponseEnd
    handler.onResponseEnd = (...args) => {
      reach('after the first delete')
      end.apply(handler, args)
    }
  }
  return dispatch.call(this, options, handler)
}`

interface Struck {
  readonly processor: Processor
  readonly prefix: string
  readonly isSettled: () => boolean
  readonly deadLetters: () => number
  /** The pid of the worker that was struck; 0 before. */
  readonly struckPid: () => number
}

async function strike(
  t: Test,
  point: string,
  signal: string,
  env: Readonly<Record<string, string>>
): Promise<Struck> {
  const emulator = await startTestSqs(t)
  const directory = t.testdir({ 'strike.mjs': STRIKE })
  const file = join(directory, 'struck')
  const processor = await startProcessor(t, {
    ...serviceEnvironment(connectionString, emulator),
    VISIBILITY_TIMEOUT_S: '2',
    // The deletes are intercepted in this transport.
    SQS_TRANSPORT: 'lean',
    NODE_OPTIONS: `--import=${join(directory, 'strike.mjs')}`,
    STRIKE_AT: point,
    STRIKE_WITH: signal,
    STRIKE_FILE: file,
    ...env
  })
  const prefix = `${point} ${signal}`
  const bodies = Array.from({ length: EVENTS }, (_, index) =>
    JSON.stringify({
      event_type: 'monitor-app',
      client_id: 'client-1',
      event_id: `${prefix} ${index}`,
      message: { index }
    })
  )
  await sendBodies(emulator, bodies)
  const messagesOf = (name: string) => emulator.server.inspectQueue(name)?.messages
  return {
    processor,
    prefix,
    isSettled: () => {
      const { ready = [], inflight = [] } = messagesOf('events') ?? {}
      return ready.length + inflight.length === 0
    },
    deadLetters: () => messagesOf('events-dead-letters')?.ready.length ?? 0,
    struckPid: () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0)
  }
}

async function rowsOf(prefix: string): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM message WHERE starts_with(message_id, $1)`,
    [prefix]
  )
  return rows[0]?.n ?? 0
}

for (const point of ['before INSERT', 'before COMMIT', 'after COMMIT', 'after the first delete']) {
  await t.test(
    `a worker killed ${point} loses nothing, duplicates nothing, and the counters are right`,
    async t => {
      const { processor, prefix, isSettled, deadLetters, struckPid } = await strike(
        t,
        point,
        'SIGKILL',
        {}
      )
      await processor.program.until('it was struck', () => struckPid() > 0)
      await processor.program.until('every event is settled', isSettled)
      t.equal(await rowsOf(prefix), EVENTS)
      await processor.program.until(
        'the totals are told',
        async () => ((await processor.metrics()).get('stored_total') ?? 0) >= EVENTS
      )
      const metrics = await processor.metrics()
      t.equal(metrics.get('stored_total'), EVENTS)
      t.equal(metrics.get('worker_restarts_total'), 1)
      t.equal(deadLetters(), 0)
      t.equal(await processor.program.end(), 0)
    }
  )
}

t.test(
  'a worker frozen in its transaction blocks others only until the server ends it',
  async t => {
    const limits = {
      WORKERS: '2',
      LOCK_TIMEOUT_MS: '500',
      STATEMENT_TIMEOUT_MS: '3000',
      MAX_RECEIVE_COUNT: '20'
    }
    const { processor, prefix, isSettled, deadLetters, struckPid } = await strike(
      t,
      'before COMMIT',
      'SIGSTOP',
      limits
    )
    await processor.program.until('it was struck', () => struckPid() > 0)
    await processor.program.until('another worker has stored and settled everything', isSettled)
    t.equal(await rowsOf(prefix), EVENTS)
    process.kill(struckPid(), 'SIGCONT')
    await processor.program.until('it is back', async () => {
      const {
        stored_total: stored,
        gate_open: isOpen,
        in_flight: inFlight
      } = Object.fromEntries(await processor.metrics())
      return stored === EVENTS && isOpen === 1 && inFlight === 0
    })
    t.equal(await rowsOf(prefix), EVENTS)
    t.equal(deadLetters(), 0)
    t.equal(processor.workerPids.length, 2, 'nobody died of it')
    t.equal(await processor.program.end(), 0)
  }
)
