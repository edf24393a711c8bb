import { Writable } from 'node:stream'
import t from 'tap'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import { createLoadProgress, describeLoad } from './progress.js'

const totals = { sent: 1_000, duplicates: 100, invalid: 50, refused: 0, seconds: 2 }

function written() {
  let text = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    }
  })
  return { stream, text: () => text }
}

t.test('without a terminal there is a line every two seconds until the end', async t => {
  const clock = createManualClock()
  const { stream, text } = written()
  const progress = createLoadProgress({ stream, count: 5_000, clock })
  progress.update({ ...totals, seconds: 1 })
  clock.advance(1_999)
  t.equal(text(), '')
  clock.advance(1)
  t.equal(text(), '1000 sent (100 duplicates, 50 invalid) in 2.0 s, 500/s\n')
  clock.advance(2_000)
  t.match(text(), /in 4[.]0 s, 250\/s\n$/, 'a run that stands still shows it')
  progress.stop()
  t.equal(clock.pending(), 0)
})

t.test('on a terminal, a run with a count shows a bar', async t => {
  const clock = createManualClock()
  const { stream, text } = written()
  const terminal = Object.assign(stream, {
    isTTY: true,
    columns: 120,
    cursorTo: () => true,
    clearLine: () => true
  })
  const progress = createLoadProgress({ stream: terminal, count: 2_000, clock })
  progress.update(totals)
  progress.stop()
  t.match(text(), '50 % | 1000/2000 | 500/s')
  t.equal(clock.pending(), 0)
})

t.test('the totals name refused messages only if there are any', async t => {
  t.equal(describeLoad(totals), '1000 sent (100 duplicates, 50 invalid) in 2.0 s, 500/s')
  t.match(describeLoad({ ...totals, refused: 3 }), '50 invalid, 3 refused by the queue')
  t.match(describeLoad({ ...totals, seconds: 0 }), '0/s')
})
