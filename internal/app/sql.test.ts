import t from 'tap'
import { table } from './sql.js'

t.test('rows are shown in aligned columns, long cells cut', async t => {
  t.equal(
    table(
      ['id', 'name'],
      [
        ['1', 'a'],
        ['200', null]
      ]
    ),
    'id  | name\n----+-----\n1   | a\n200 |\n(2 rows)\n'
  )
  t.match(table(['x'], [['y'.repeat(101)]]), new RegExp(`^y{99}…$`, 'm'))
  t.match(table(['x'], [['y'.repeat(100)]]), new RegExp(`^y{100}$`, 'm'))
})
