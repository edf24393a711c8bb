import t from 'tap'
import { parseTimeArgument } from './time-argument.js'

const NOW_MS = Date.UTC(2026, 0, 31, 12)

t.test('a time is a date, a time (UTC unless it names a zone), or a span before now', async t => {
  const rows: readonly (readonly [text: string, want: string])[] = [
    ['2026-01-30', '2026-01-30T00:00:00.000Z'],
    ['2026-01-30T08:05', '2026-01-30T08:05:00.000Z'],
    ['2026-01-30 08:05:09', '2026-01-30T08:05:09.000Z'],
    ['2026-01-30T08:05:09.25Z', '2026-01-30T08:05:09.250Z'],
    ['2026-01-30T08:05+02:00', '2026-01-30T06:05:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['0s', '2026-01-31T12:00:00.000Z'],
    ['90s', '2026-01-31T11:58:30.000Z'],
    ['30m', '2026-01-31T11:30:00.000Z'],
    ['2h', '2026-01-31T10:00:00.000Z'],
    ['7d', '2026-01-24T12:00:00.000Z'],
    ['1w', '2026-01-24T12:00:00.000Z']
  ]
  for (const [text, want] of rows)
    t.equal(parseTimeArgument(text, NOW_MS)?.toISOString(), want, text)
})

t.test('anything else is not a time', async t => {
  const rows = [
    '',
    'yesterday',
    '2h30m',
    '-2h',
    '2 h',
    '2y',
    'h',
    '2026-13-01',
    '2026-02-30',
    '2025-02-29',
    '2026-1-1',
    '2026-01-31T25:00',
    '31.01.2026'
  ]
  for (const text of [...rows, '99999999999d', '999999999w'])
    t.equal(parseTimeArgument(text, NOW_MS), null, text)
})
