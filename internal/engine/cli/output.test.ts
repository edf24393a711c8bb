import { PassThrough, Writable } from 'node:stream'
import t from 'tap'
import { createOutput } from './output.js'

const sink = (): PassThrough & { isTTY?: boolean; columns?: number } => new PassThrough()

t.test('results and remarks go to different streams', async t => {
  const [results, remarks] = [sink(), sink()]
  const output = createOutput(results, remarks)
  t.equal(await output.write('a table\n'), true)
  await output.json({ n: 1 })
  output.remark('2 shown')
  t.equal(String(results.read()), 'a table\n{\n  "n": 1\n}\n')
  t.equal(String(remarks.read()), '2 shown\n')
  output.progress(5).update(1)
  t.equal(remarks.read(), null, 'no bar where nobody watches')
  t.equal(output.columns, null)
})

t.test('a terminal has a width and a bar', async t => {
  const [results, remarks] = [
    Object.assign(sink(), { isTTY: true, columns: 100 }),
    Object.assign(sink(), { isTTY: true, columns: 100 })
  ]
  const output = createOutput(results, remarks)
  t.equal(output.columns, 100)
  const bar = output.progress(2_000)
  bar.update(1_000)
  bar.stop()
  t.match(String(remarks.read()), /50 % \| 1,000\/2,000/)
})

t.test('a reader who leaves is not a failure, and writing can end', async t => {
  const left = new Writable({
    write: (_chunk, _encoding, done) =>
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  })
  const output = createOutput(left, sink())
  await output.write('first')
  t.equal(await output.write('second'), false)
})
