import t from 'tap'
import { parseStackArguments } from './arguments.js'

const systems = [{ name: 'events' }, { name: 'receipts' }, { name: 'shows' }]
const parse = (...args: readonly string[]) => parseStackArguments(args, systems)

t.test('all systems start, or only those named, in the order of the list', async t => {
  t.same(parse(), { kind: 'start', systems })
  t.same(parse('--only', 'shows', '--only=events'), {
    kind: 'start',
    systems: [{ name: 'events' }, { name: 'shows' }]
  })
  t.same(parse('--help'), { kind: 'help' })
})

t.test('an unknown system is refused with the nearest known name', async t => {
  t.throws(() => parse('--only', 'recipts', '--onyl'), {
    name: 'ArgumentsError',
    problems: [
      '--onyl is not an option of this program, did you mean --only?',
      '"recipts" is not a system, did you mean receipts? (the systems: events, receipts, shows)'
    ]
  })
  t.throws(() => parse('--only'), /--only needs a value/)
})
