import { pino } from 'pino'
import t from 'tap'
import type { ReceivedMessage } from '../../../engine/message/message.js'
import { CounterSums, MAX_LABEL_VALUES } from '../../../engine/observe/counters.js'
import type { ShadowSchema } from '../schemas/payload-schemas.js'
import { createShadowEvents } from './shadow-events.js'

const message: ReceivedMessage = {
  id: 'queue-1',
  token: '',
  body: 'secret',
  bytes: 6,
  receiveCount: 1,
  sentAtMs: 0
}
const shadow = (n: number): ShadowSchema => ({ id: n, label: `type-${n}/*/1`, check: () => [] })

t.test('the first 50 schemas of a worker are counted by name, all others together', async t => {
  const sums = new CounterSums()
  const events = createShadowEvents({ log: pino({ level: 'silent' }), sums })
  for (let n = 0; n < MAX_LABEL_VALUES + 10; n++) {
    events.checked(shadow(n), message, n % 2 === 0 ? 'required' : null)
    events.checked(shadow(n), message, null)
  }
  t.equal(
    Object.keys(sums.counts).filter(key => key.startsWith('shadow_checked/')).length,
    MAX_LABEL_VALUES + 1
  )
  t.equal(sums.counts['shadow_checked/type-49/*/1'], 2)
  t.equal(sums.counts['shadow_checked/type-50/*/1'], undefined)
  t.equal(sums.counts['shadow_checked/other'], 20)
  t.equal(sums.counts['shadow_rejected/other'], 5)
})

t.test('the log has one example per rejecting schema and summary, without payloads', async t => {
  const lines: string[] = []
  const events = createShadowEvents({
    log: pino({}, { write: line => void lines.push(line) }),
    sums: new CounterSums()
  })
  for (let n = 0; n < 3; n++)
    events.checked(shadow(1), { ...message, id: `queue-${n}` }, 'required')
  events.checked(shadow(2), message, null)
  events.logSummary()
  events.logSummary()
  t.equal(lines.length, 1)
  t.match(JSON.parse(lines[0] ?? ''), {
    schema: 'type-1/*/1',
    rejected: 3,
    example: { id: 'queue-0', keyword: 'required' }
  })
  t.notMatch(lines[0], 'secret')
})
