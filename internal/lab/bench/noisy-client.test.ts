import t from 'tap'
import { createNoisyClient } from './noisy-client.js'

t.test('it sends at its rate until it is stopped, and counts what it sends', async t => {
  let sent = 0
  const noisy = createNoisyClient({
    send: async (events, delayS) => {
      t.equal(delayS, 0)
      sent += events
      if (sent === 200) noisy.stop()
    },
    backlog: 0,
    perSecond: 2_000
  })
  const startedMs = performance.now()
  await noisy.talk()
  t.equal(noisy.sent, sent)
  t.ok(sent >= 200 && sent <= 240, `${sent}: no more than what was under way when it was stopped`)
  t.ok(
    performance.now() - startedMs >= 75,
    'two hundred at 2,000 per second, the first ones at once'
  )
})

t.test('a refused event ends it', async t => {
  const refusing = () =>
    createNoisyClient({
      send: () => Promise.reject(new Error('refused')),
      backlog: 10,
      perSecond: 1_000
    })
  await t.rejects(refusing().talk(), { message: 'refused' })
  await t.rejects(refusing().pileUp(), { message: 'refused' })
})
