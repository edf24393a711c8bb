import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isRunning } from '../programs/processes.js'
import { createStackBench } from '../testing/stack-program.js'

const bench = createStackBench(t)

t.test('npm start starts everything and shows what happens; Ctrl-C ends all of it', async t => {
  const stack = bench.start(t)
  await stack.until('it shows a line with stored events', () =>
    /received [1-9][\d,]* · stored [1-9]/.test(stack.output)
  )
  await stack.until('and delivered ones', () => / · delivered [1-9]/.test(stack.output))
  const received = readFileSync(join(bench.dataDir, 'logs', 'recipient.log'), 'utf8')
  t.match(received, '"checking":true')
  t.match(received, /"webhookId":"msg_/)
  t.notMatch(received, '"valid":false')
  t.match(stack.output, 'SELECT count(*) FROM message')
  const metricsUrl = /http:\S+\/metrics/.exec(stack.output)?.[0] ?? ''
  t.match(await (await fetch(metricsUrl)).text(), /event_process_stored_total \d+/)
  t.ok((await bench.count(t, 'SELECT count(*) FROM message')) > 0)
  const pids = bench.pidsBelow(stack)
  t.ok(pids.length >= 3)

  t.equal(await stack.end('SIGINT'), 0)
  t.match(stack.output, /Stopped\. received/)
  t.same(pids.filter(isRunning), [], 'no orphan')
})
