import t from 'tap'
import { parseStackArguments } from './arguments.js'

const systems = [{ name: 'events' }, { name: 'receipts' }, { name: 'shows' }]
const parse = (...args: readonly string[]) => parseStackArguments(args, systems)

t.test('all systems start, or those that are named, in the order of the list', async t => {
  t.same(parse(), { kind: 'start', systems })
  t.same(parse('--only', 'shows', '--only=events'), {
    kind: 'start',
    systems: [{ name: 'events' }, { name: 'shows' }]
  })
  t.same(parse('--help'), { kind: 'help' })
})

t.test('a system that is not there is refused with the nearest that is', async t => {
  t.throws(() => parse('--only', 'recipts', '--onyl'), {
    name: 'ArgumentsError',
    problems: [
      '--onyl is no option of this program, did you mean --only?',
      '"recipts" is no system, did you mean receipts? (there are events, receipts, shows)'
    ]
  })
  t.throws(() => parse('--only'), /--only needs a value/)
})
