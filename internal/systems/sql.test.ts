import t from 'tap'
import { startProgram } from '../lab/testing/programs.js'
import { formatRows } from './sql.js'

t.test('rows are shown in aligned columns, with long cells cut', async t => {
  t.equal(
    formatRows(
      ['id', 'name'],
      [
        ['1', 'a'],
        ['200', null]
      ]
    ),
    'id  | name\n----+-----\n1   | a\n200 |\n(2 rows)\n'
  )
  t.match(formatRows(['x'], [['a\n b\u001b[2J']]), /^a b\\u001b\[2J$/m)
  t.match(formatRows(['x'], [['y'.repeat(101)]]), new RegExp(`^y{99}…$`, 'm'))
  t.match(formatRows(['x'], [['y'.repeat(100)]]), new RegExp(`^y{100}$`, 'm'))
})

t.test('it needs only the database, and an unreachable one is reported in one message', async t => {
  const program = startProgram(t, 'sql', { DB_CONNECTION: 'postgresql://u:p@127.0.0.1:1/d' }, [
    'SELECT 1'
  ])
  t.equal(await program.exited, 1)
  t.equal(program.output, 'The database cannot be reached: connect ECONNREFUSED 127.0.0.1:1\n')
})
