import t from 'tap'
import { createTestDatabase } from '../testing/database.js'
import { sendBodies, serviceEnvironment, startProcessor } from '../testing/programs.js'
import { startTestSqs } from '../testing/sqs.js'

/**
 * A body that kills any process that parses it. No real one is known, so the parser is
 * patched to die of this one.
 */
const POISON = '{"poison":'
const KILLING_PARSER = `
const parse = JSON.parse
JSON.parse = (text, reviver) => {
  if (String(text).startsWith('${POISON}')) process.kill(process.pid, 'SIGKILL')
  return parse(text, reviver)
}`

const { connectionString, pool } = await createTestDatabase(t)

t.test('a message that kills its process is dead-lettered alone', async t => {
  const emulator = await startTestSqs(t)
  const processor = await startProcessor(t, {
    ...serviceEnvironment(connectionString, emulator),
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(KILLING_PARSER)}`,
    VISIBILITY_TIMEOUT_S: '2',
    MAX_RECEIVE_COUNT: '5'
  })
  const ids = Array.from({ length: 40 }, (_, index) => `mate-${index}`)
  const bodies = ids.map(id =>
    JSON.stringify({
      event_type: 'monitor-app',
      client_id: 'client-1',
      event_id: id,
      message: { id }
    })
  )
  bodies.splice(20, 0, `${POISON}true}`)
  await sendBodies(emulator, bodies)
  const messagesOf = (name: string) => emulator.server.inspectQueue(name)?.messages
  await processor.program.until(
    'it is a dead letter',
    () => messagesOf('events-dead-letters')?.ready.length === 1
  )
  await processor.program.until('the queue is empty', () => {
    const { ready = [], inflight = [] } = messagesOf('events') ?? {}
    return ready.length + inflight.length === 0
  })
  t.equal(messagesOf('events-dead-letters')?.ready[0]?.body, `${POISON}true}`)
  const { rows } = await pool.query<{ id: string }>(
    'SELECT message_id AS id FROM message ORDER BY 1'
  )
  t.same(
    rows.map(({ id }) => id),
    ids.toSorted()
  )
  const deaths = processor.program.log.filter(
    ({ msg }) => msg === 'worker died; starting another'
  ).length
  t.equal(deaths, 4, 'two deaths in a batch, two alone; then it is not touched again')
  t.equal(await processor.program.end(), 0)
})
