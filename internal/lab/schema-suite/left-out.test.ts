import { readFileSync } from 'node:fs'
import t from 'tap'
import { LEFT_OUT } from './left-out.js'
import { runSuite } from './run-suite.js'
import type { SuiteTest } from './suite-files.js'

const DRAFT_07 = 'http://json-schema.org/draft-07/schema#'
const takes: SuiteTest = { description: 'any', data: 1, valid: true }

t.test('the decision page shows exactly this list', async t => {
  const page = readFileSync(
    new URL('../../docs/decisions/0011-untrusted-schemas.md', import.meta.url),
    'utf8'
  )
  const [, table = ''] =
    /\| tests about \| here \|\n\| --- \| --- \|\n((?:\|.*\|\n)+)/.exec(page) ?? []
  t.strictSame(
    table.trimEnd().split('\n'),
    LEFT_OUT.map(({ what, here }) => `| ${what} | ${here} |`)
  )
})

t.test('each reason covers the schemas that are refused for it, at any depth', async t => {
  const schemas: readonly unknown[] = [
    { properties: { a: { $ref: 'https://example.com/a' } } },
    { $defs: { a: { $id: 'https://example.com/a' } } },
    { allOf: [{ $dynamicRef: '#a' }] },
    { $schema: 'https://example.com/meta' },
    { anyOf: [{ unevaluatedItems: false }] },
    { not: { if: true, unevaluatedProperties: false } },
    { not: { properties: JSON.parse('{"__proto__":{}}') as unknown } },
    { $schema: DRAFT_07, items: { $ref: '#', minimum: 1 } }
  ]
  for (const [index, schema] of schemas.entries()) {
    const { leftOut, failures } = runSuite([
      { file: 'a', description: 'one', schema, tests: [takes] }
    ])
    t.strictSame([[...leftOut.keys()], failures], [[LEFT_OUT[index]], []], JSON.stringify(schema))
  }
})

t.test('no reason covers schemas that it does not concern', async t => {
  const schemas: readonly unknown[] = [
    true,
    {},
    { $schema: DRAFT_07, $ref: '#/definitions/a', definitions: { a: { minimum: 1 } } },
    { $id: 'https://example.com/a', $ref: '#a', $defs: { a: { $anchor: 'a' } }, minimum: 1 },
    { const: { $id: 'https://example.com/a' }, enum: [{ $ref: 'https://example.com/a' }] },
    { if: true, then: true, unevaluatedProperties: false },
    { if: true, properties: { a: true } }
  ]
  for (const schema of schemas) {
    t.strictSame(
      LEFT_OUT.filter(({ concerns }) => concerns(schema, takes)),
      [],
      JSON.stringify(schema)
    )
  }
})
