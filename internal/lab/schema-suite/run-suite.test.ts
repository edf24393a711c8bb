import t from 'tap'
import type { LeftOut } from './left-out.js'
import { runSuite, type SuiteResult } from './run-suite.js'
import { formatSuiteResult } from './schema-suite.js'
import type { SuiteGroup } from './suite-files.js'

const group = (
  schema: unknown,
  ...payloads: readonly (readonly [data: unknown, valid: boolean])[]
): SuiteGroup => ({
  file: 'a.json',
  description: 'a group',
  schema,
  tests: payloads.map(([data, valid]) => ({ description: JSON.stringify(data), data, valid }))
})
const only = (what: string, refusal: string | null, isAbout = true): LeftOut => ({
  what,
  here: 'here',
  concerns: () => isAbout,
  refusal
})
const figures = ({ passed, passedAsRegistered, leftOut, failures }: SuiteResult): unknown => [
  passed,
  passedAsRegistered,
  [...leftOut.values()],
  failures
]

t.test('the expected verdict passes; any other fails and is named', async t => {
  const number = { type: 'number' }
  t.strictSame(figures(runSuite([group(number, [1, true], ['x', false])])), [2, 2, [], []])
  t.match(figures(runSuite([group(number, [1, false], ['x', true])])), [
    0,
    0,
    [],
    [
      'a.json: a group: 1: it is accepted',
      'a.json: a group: 1: as registered: it is accepted',
      /^a.json: a group: "x": \/message must be number/,
      /as registered/
    ]
  ])
})

t.test('schemas without types are compiled, though registration would refuse them', async t => {
  t.strictSame(
    figures(runSuite([group({ minimum: 1, nobodyKnows: 1 }, [0, false], ['x', true])])),
    [2, 0, [], []]
  )
})

t.test('a refused schema is left out only for a listed reason with that refusal', async t => {
  const remote = group({ $ref: 'https://example.com/a' }, [1, true])
  const refusal = '$ref must lead'
  t.strictSame(figures(runSuite([remote], [only('listed', refusal)])), [0, 0, [1], []])
  const failed = [0, 0, [], [/^a.json: a group: 1: the schema is refused: \$ref must lead/]]
  t.match(figures(runSuite([remote], [])), failed)
  t.match(figures(runSuite([remote], [only('of another schema', refusal, false)])), failed)
  t.match(figures(runSuite([remote], [only('of another refusal', 'only the whole')])), failed)
})

t.test('a test that is listed and passes fails, so that the list can only shrink', async t => {
  const result = runSuite([group({ type: 'number' }, [1, true])], [only('numbers', 'the schema')])
  t.strictSame(result.failures, [
    'a.json: a group: 1: it passes, but is listed as left out: numbers'
  ])
})

t.test('a payload refused for its format is left out only by the entry about formats', async t => {
  const mail = group({ type: 'string', format: 'email', maxLength: 9 }, ['x', true])
  t.strictSame(figures(runSuite([mail], [only('formats', null)])), [0, 0, [1], []])
  t.equal(runSuite([mail], []).failures.length, 2)
  t.equal(
    runSuite([group({ type: 'string', maxLength: 9 }, [1, true])], [only('formats', null)]).failures
      .length,
    2
  )
})

t.test('the report names each reason with its number of tests', async t => {
  const result = runSuite(
    [group({ $ref: 'https://example.com/a' }, [1, true], [2, true])],
    [only('what', '$ref must')]
  )
  t.equal(
    formatSuiteResult('draft-07', result).split('\n')[0],
    'draft-07: 0 passed (0 as registered), 2 left out, 0 failed'
  )
  t.match(formatSuiteResult('draft-07', result), /^ {5}2 left out {2}what\n {17}here$/m)
})
