import fc from 'fast-check'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import t from 'tap'
import { largestSample, readSamples, samplesOf, seriesOf, sumOfSamples } from './prometheus-text.js'

t.test('each line is a sample, except comments and empty lines', async t => {
  const text = [
    '# HELP stored_total Things {stored} "so far"',
    '# TYPE stored_total counter',
    '#just a comment',
    'stored_total 5',
    '',
    '  stored_total{kind="a"} 1e1  ',
    '\tstored_total { kind = "b" , } 2.5\t1700000000000',
    'a:rule -3 -1'
  ].join('\n')
  t.same(readSamples(text), [
    { name: 'stored_total', labels: {}, value: 5 },
    { name: 'stored_total', labels: { kind: 'a' }, value: 10 },
    { name: 'stored_total', labels: { kind: 'b' }, value: 2.5 },
    { name: 'a:rule', labels: {}, value: -3 }
  ])
  t.same(readSamples(''), [])
})

t.test('label values may hold escapes, braces, spaces and text like a value', async t => {
  const rows: readonly (readonly [written: string, value: string])[] = [
    ['C:\\\\DIR\\\\new', 'C:\\DIR\\new'],
    ['say \\"no\\"', 'say "no"'],
    ['two\\nlines', 'two\nlines'],
    ['a } 7 {b', 'a } 7 {b'],
    ['x=\\"1\\",y=', 'x="1",y='],
    ['# no comment', '# no comment'],
    ['', '']
  ]
  for (const [written, value] of rows) {
    t.same(readSamples(`n{path="${written}",z="1"} 3 17`), [
      { name: 'n', labels: { path: value, z: '1' }, value: 3 }
    ])
  }
})

t.test('the infinities and NaN are values', async t => {
  const values = readSamples('a +Inf\na Inf\na -Inf\na NaN\na Nan\na 0\na -0.5').map(
    ({ value }) => value
  )
  t.same(values, [Infinity, Infinity, -Infinity, NaN, NaN, 0, -0.5])
})

t.test('a line that is not in the format is named', async t => {
  const lines = [
    'n',
    'n ',
    'n x',
    'n 1 2 3',
    'n 1 x',
    '1n 1',
    'n{ 1',
    'n{a} 1',
    'n{a=1} 1',
    'n{a="1} 1',
    'n{a="1"b="2"} 1',
    'n{a="1"}1'
  ]
  for (const line of lines)
    t.throws(
      () => readSamples(`ok 1\n${line}`),
      { name: 'SyntaxError', message: 'line 2 is not a metric sample' },
      line
    )
})

t.test('a counter is the sum of its series, or of those with the labels asked for', async t => {
  const samples = readSamples(
    'n_total{a="1",b="x"} 40\nn_total{b="y",a="1"} 2\nn_total{a="2"} 7\nn_total_other 1000\n'
  )
  t.equal(sumOfSamples(samples, 'n_total'), 49)
  t.equal(
    sumOfSamples(samples, 'n_total', ({ a }) => a === '1'),
    42
  )
  t.equal(
    sumOfSamples(samples, 'n_total', ({ a, b }) => a === '1' && b === 'y'),
    2
  )
  t.equal(
    sumOfSamples(samples, 'n_total', ({ a }) => a === '3'),
    0
  )
  t.equal(sumOfSamples(samples, 'n'), 0)
})

t.test('a gauge is its value, the largest of several series, or null', async t => {
  const samples = readSamples('lag{worker="1"} 0.02\nlag{worker="2"} 0.05\nlag_other 3\nx -1\n')
  t.equal(largestSample(samples, 'lag'), 0.05)
  t.equal(largestSample(samples, 'x'), -1)
  t.equal(largestSample(samples, 'la'), null)
})

t.test('what prom-client writes is read as it was observed', async t => {
  const anyLabel = fc.oneof(fc.string(), fc.constantFrom('\\', '"', '\n', '\\n', '"} 7 {x="'))
  await fc.assert(
    fc.asyncProperty(anyLabel, fc.double(), async (label, value) => {
      const registers = [new Registry()]
      new Gauge({ name: 'g', help: 'a\nb', labelNames: ['l'], registers }).set({ l: label }, value)
      new Counter({ name: 'c_total', help: '\\', labelNames: ['l'], registers }).inc({ l: label })
      const histogram = new Histogram({
        name: 'h',
        help: 'how long',
        labelNames: ['l'],
        buckets: [0.5, 2],
        registers
      })
      for (const observed of [0.1, 1, 9]) histogram.observe({ l: label }, observed)
      const samples = readSamples((await registers[0]?.metrics()) ?? '')
      t.same(samplesOf(samples, 'g'), [{ name: 'g', labels: { l: label }, value }])
      t.equal(
        sumOfSamples(samples, 'c_total', ({ l }) => l === label),
        1
      )
      t.same(
        samplesOf(samples, 'h_bucket').map(({ labels, value: count }) => [labels['le'], count]),
        [
          ['0.5', 1],
          ['2', 2],
          ['+Inf', 3]
        ]
      )
    })
  )
})

t.test('a series is written as it was read, whatever its labels hold', async t => {
  for (const series of ['n', 'n{a="1"}', 'n{b="x\\\\y",a="\\"\\n"}'])
    t.same(
      readSamples(`${series} 1`).map(sample => seriesOf(sample)),
      [series]
    )
})
