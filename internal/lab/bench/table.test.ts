import t from 'tap'
import { formatTable } from './table.js'

t.test('names stand to the left, figures to the right, under a rule', async t => {
  const rows = [
    ['scenario', 'events/s'],
    ['ours', '12,345'],
    ['limit: INSERT', '9']
  ]
  t.equal(
    formatTable(rows),
    [
      'scenario       events/s',
      '─────────────  ────────',
      'ours             12,345',
      'limit: INSERT         9'
    ].join('\n')
  )
  t.equal(formatTable([]), '')
})
