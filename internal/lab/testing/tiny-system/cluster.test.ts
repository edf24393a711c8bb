import { fileURLToPath } from 'node:url'
import t from 'tap'
import { isAlive } from '../../../engine/embedded/process-alive.js'
import { createSqsWriter } from '../../../engine/queue/sqs/writer.js'
import { createTestDatabase } from '../database.js'
import { startEntry } from '../programs.js'
import { startTestSqs } from '../sqs.js'
import { formatReading } from './reading.js'
import { CREATE_READING_TABLES } from './reading-store.js'

const ENTRY = fileURLToPath(
  new URL('../../../../dist/internal/lab/testing/tiny-system/program.js', import.meta.url)
)
const READINGS = 1_500

t.test('killed workers lose no reading, each is stored once, and the totals are right', async t => {
  const { connectionString, pool } = await createTestDatabase(t, { isMigrated: false })
  await pool.query(CREATE_READING_TABLES)
  const { sqs, server, endpoint, createQueue } = await startTestSqs(t)
  const { name, queueUrl } = createQueue({ VisibilityTimeout: '2' })
  const program = startEntry(t, {
    name: 'tiny system',
    entry: ENTRY,
    env: { DB_CONNECTION: connectionString, AWS_ENDPOINT: endpoint, QUEUE_URL: queueUrl }
  })
  const workers = (): number[] =>
    program.log.flatMap(({ msg, worker }) => (msg === 'worker started' ? [Number(worker)] : []))
  t.teardown(async () => {
    program.child.kill('SIGKILL')
    for (const pid of workers()) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    await program.exited
  })
  const sums = async (): Promise<Map<string, number>> => {
    const url = String(program.log.find(({ msg }) => msg === 'listening')?.['metrics'])
    const lines = (await (await fetch(url)).text()).split('\n').map(line => line.split(' '))
    return new Map(lines.map(([series = '', value]) => [series, Number(value)]))
  }
  const stored = async (): Promise<number> => (await sums()).get('tiny_stored_total') ?? 0
  await program.until('two workers run', () => workers().length === 2)

  const sending = createSqsWriter({ sqs, queueUrl }).send(
    Array.from({ length: READINGS }, (_, n) => {
      // One in ten is malformed, one is a repeat, one gives an id another value.
      if (n % 10 === 3) return { body: `no reading ${n}` }
      const id = n % 10 === 5 || n % 10 === 7 ? n - 1 : n
      const value = n % 10 === 5 ? n - 1 : n
      return { body: formatReading({ meter: 'hall', id: `${id}`, value }) }
    })
  )
  const [first = 0, second = 0] = workers()
  await program.until('something is stored', async () => (await stored()) > 50)
  process.kill(first, 'SIGKILL')
  t.ok((await stored()) < READINGS / 2, 'in the middle of the work')
  await program.until('it has been replaced', () => workers().length === 3)
  process.kill(second, 'SIGKILL')
  t.ok((await sending).every(outcome => 'id' in outcome))
  await program.until('the queue is empty', () => {
    const { ready = [], inflight = [] } = server.inspectQueue(name)?.messages ?? {}
    return ready.length === 0 && inflight.length === 0
  })

  const { rows } = await pool.query<{ id: number; value: number }>(
    'SELECT id::int, value FROM tiny.reading ORDER BY 1'
  )
  const expected = Array.from({ length: READINGS }, (_, n) => n)
  t.strictSame(
    rows.map(({ id }) => id),
    expected.filter(n => ![3, 5, 7].includes(n % 10)),
    'each reading has one row'
  )
  const { rows: refused } = await pool.query<{ reason: string; n: number }>(
    'SELECT reason, count(*)::int AS n FROM tiny.rejection GROUP BY 1 ORDER BY 1'
  )
  t.same(refused, [
    { reason: 'conflict', n: READINGS / 10 },
    { reason: 'malformed', n: READINGS / 10 }
  ])
  const counted = await sums()
  t.equal(counted.get('tiny_stored_total'), rows.length)
  for (const { reason, n } of refused)
    t.equal(counted.get(`tiny_rejected_total{reason="${reason}"}`), n, reason)
  t.equal(await program.end('SIGTERM'), 0)
})
