import t from 'tap'
import { admitSchema } from '../../systems/events/schemas/admission.js'
import { type CostResult, costGoals, costTable, dearestBound } from './schema-cost.js'
import { COST_CASES, PAYLOAD_BYTES } from './schema-cost-cases.js'

t.test('registration accepts each schema, and its payload is at most 1 MiB of JSON', async t => {
  for (const one of COST_CASES) {
    const bound = dearestBound(one)
    t.ok(bound > 0, one.name)
    t.equal(admitSchema(JSON.stringify(one.schema(bound))).kind, 'admitted', one.name)
    const payload = one.payload(bound)
    t.ok(Buffer.byteLength(payload) <= PAYLOAD_BYTES, one.name)
    t.doesNotThrow(() => JSON.parse(payload) as unknown, one.name)
  }
})

t.test('the bound is the largest that is accepted', async t => {
  const one = {
    name: 'items',
    largest: 1_000_000,
    schema: (maxItems: number) => ({ type: 'array', maxItems, contains: true }),
    payload: () => '[]'
  }
  t.equal(dearestBound(one), 1_000_000, 'when all are accepted')
  const dear = {
    ...one,
    schema: (maxItems: number) => ({
      type: 'array',
      maxItems,
      items: { anyOf: [{ type: 'string' }, { type: 'null' }] }
    })
  }
  const bound = dearestBound(dear)
  t.equal(admitSchema(JSON.stringify(dear.schema(bound))).kind, 'admitted')
  t.equal(admitSchema(JSON.stringify(dear.schema(bound + 1))).kind, 'refused')
  t.equal(dearestBound({ ...one, schema: () => ({ type: 'nothing' }) }), 0, 'when none is')
})

const result = (name: string, ms: number | null): CostResult => ({
  name,
  bound: 1_000,
  boundMs: 50,
  payloadBytes: 1_048_576,
  ms: ms === null ? null : { median: ms, min: ms, max: ms + 1 }
})

t.test('the goal concerns the most expensive schema', async t => {
  t.match(costGoals([result('a', 3), result('b', 51), result('c', null)]), [
    { isMet: false, measured: 51 }
  ])
  t.match(costGoals([result('a', 50)]), [{ isMet: true }])
  t.match(costGoals([]), [{ isMet: null }])
  t.match(
    costTable([result('a', 3), result('c', null)]),
    /^a +1,000 +1,048,576 +50 +3\.0 +4\.0\nc .* refused$/m
  )
})
