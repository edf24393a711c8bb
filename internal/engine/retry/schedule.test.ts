import t from 'tap'
import { parseSchedule, retryInMs } from './schedule.js'

const schedule = [1_000, 60_000]

t.test('each failure waits for its step, give or take 10 %; after the last there is none', t => {
  const rows = [
    { failed: 1, random: 0, want: 900 },
    { failed: 1, random: 0.5, want: 1_000 },
    { failed: 1, random: 1, want: 1_100 },
    { failed: 2, random: 0.5, want: 60_000 },
    { failed: 3, random: 0.5, want: null }
  ]
  for (const { failed, random, want } of rows)
    t.equal(
      retryInMs(schedule, failed, 0, () => random),
      want,
      `${failed} failed, ${random}`
    )
  t.end()
})

t.test('an endpoint may ask for a longer wait, not for a shorter one or more attempts', t => {
  const middle = (): number => 0.5
  t.equal(retryInMs(schedule, 1, 1_001, middle), 1_001)
  t.equal(retryInMs(schedule, 1, 999, middle), 1_000)
  t.equal(retryInMs(schedule, 3, 5_000, middle), null)
  t.equal(retryInMs([], 1, 0, middle), null)
  t.end()
})

t.test('a schedule is written as steps with their units', t => {
  t.same(
    parseSchedule('50ms,5s, 5m ,2h,1d,1.5s'),
    [50, 5_000, 300_000, 7_200_000, 86_400_000, 1_500]
  )
  for (const wrong of [
    '',
    '5',
    's',
    '5s,',
    '5 s',
    '-5s',
    '5s;5m',
    '1e3s',
    '5S',
    '.5s',
    'Infinitys'
  ])
    t.equal(parseSchedule(wrong), null, wrong)
  t.end()
})
