import t from 'tap'
import { parseSoakArguments } from './arguments.js'

t.test('the default is an hour with two workers', async t => {
  t.same(parseSoakArguments([]), { kind: 'run', minutes: 60, workers: 2, jsonFile: null })
  t.same(parseSoakArguments(['--minutes', '0.5', '--workers', '1', '--json', 'a.json']), {
    kind: 'run',
    minutes: 0.5,
    workers: 1,
    jsonFile: 'a.json'
  })
  t.same(parseSoakArguments(['--help']), { kind: 'help' })
})

t.test('all mistakes are named at once', async t => {
  t.throws(() => parseSoakArguments(['--minutes', '0', '--workers', 'all', '--x']), {
    message: /--x[^]*--minutes[^]*--workers/
  })
})
