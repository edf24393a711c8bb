import t from 'tap'
import { DELIVERY_KINDS, FAULTS, INTAKE_KINDS } from './faults.js'
import { createPlan, describeStep, formatPlan } from './plan.js'

const options = { seed: 'monday', events: 10_001, kills: 40, faults: 60, deliveryFaults: 0 }

t.test('the same seed gives the same plan, another seed a different one', async t => {
  t.same(createPlan(options), createPlan(options))
  t.notSame(createPlan({ ...options, seed: 'tuesday' }).steps, createPlan(options).steps)
})

t.test(
  'it has the requested kills, faults and events; a quarter of the kills hit the primary',
  async t => {
    const { steps } = createPlan(options)
    const kills = steps.flatMap(({ kill }) => kill ?? [])
    t.equal(kills.length, 40)
    t.equal(kills.filter(({ target }) => target === 'primary').length, 10)
    const atCommit = kills.filter(({ isAtCommit }) => isAtCommit)
    t.ok(
      atCommit.length > 5 && atCommit.every(({ target }) => target === 'worker'),
      'about half of the worker kills are at a COMMIT'
    )
    t.equal(steps.filter(({ fault }) => fault !== null).length, 60)
    t.equal(
      steps.reduce((sum, { events }) => sum + events, 0),
      10_001
    )
    t.ok(
      Math.max(...steps.map(({ events }) => events)) -
        Math.min(...steps.map(({ events }) => events)) <=
        1,
      'in even shares'
    )
  }
)

t.test('no kind of fault comes a third time before every kind has come twice', async t => {
  const counts = new Map<string, number>()
  for (const { fault } of createPlan({ ...options, faults: 2 * INTAKE_KINDS.length + 1 }).steps) {
    if (fault !== null) counts.set(fault.kind, (counts.get(fault.kind) ?? 0) + 1)
  }
  t.equal(counts.size, INTAKE_KINDS.length)
  t.equal(Math.min(...counts.values()), 2)
  t.equal(Math.max(...counts.values()), 3)
})

t.test(
  'a fault lasts as its kind allows, with a kill inside it only where that makes sense',
  async t => {
    const { steps } = createPlan({ ...options, kills: 500, faults: 500, events: 100_000 })
    let met = 0
    for (const { fault, kill } of steps) {
      t.ok(fault !== null || kill !== null, 'no step is idle')
      if (fault === null) continue
      const { fromMs, toMs, allowsKill } = FAULTS[fault.kind]
      t.ok(fault.forMs >= fromMs && fault.forMs <= toMs, fault.kind)
      if (kill === null) continue
      met += 1
      t.ok(allowsKill && kill.afterMs < fault.forMs, fault.kind)
    }
    t.ok(met > 100)
  }
)

t.test(
  'faults of sender and recipient are added, at most one per step, all kinds in turn',
  async t => {
    const deliveryFaults = 2 * DELIVERY_KINDS.length
    const { steps } = createPlan({ ...options, deliveryFaults })
    const kinds = steps.flatMap(({ delivery }) => delivery?.fault.kind ?? [])
    t.same(kinds.toSorted(), [...DELIVERY_KINDS, ...DELIVERY_KINDS].toSorted())
    t.same(
      steps.map(step => ({ ...step, delivery: null })),
      createPlan(options).steps
    )
  }
)

t.test('the printed plan is complete, in lines that fit', async t => {
  const plan = createPlan(options)
  const lines = formatPlan(plan)
  t.ok(lines.every(line => line.length <= 132))
  const told = lines.flatMap(line => line.split(' · '))
  t.same(
    told,
    plan.steps.map((step, index) => `${index + 1} ${describeStep(step)}`)
  )
})

t.test('a step’s description says what happens and when', async t => {
  const step = { events: 10, leadMs: 0, pauseMs: 0, delivery: null }
  const kill = { target: 'worker', afterMs: 640, isAtCommit: false, draw: 0 } as const
  const fault = { kind: 'queue-hang', forMs: 1_850, draw: 0 } as const
  t.equal(describeStep({ ...step, fault: null, kill }), 'kill worker')
  t.equal(
    describeStep({ ...step, fault, kill: { ...kill, isAtCommit: true } }),
    'queue-hang 1.9 s + kill worker at COMMIT'
  )
  t.equal(describeStep({ ...step, fault, kill: null }), 'queue-hang 1.9 s')
  t.equal(describeStep({ ...step, fault, kill }), 'queue-hang 1.9 s + kill worker at 0.6 s')
  const delivery = { afterMs: 100, fault: { kind: 'recipient-500', forMs: 700, draw: 0 } } as const
  t.equal(
    describeStep({ ...step, fault, kill: null, delivery }),
    'queue-hang 1.9 s + recipient-500 0.7 s'
  )
  t.equal(
    describeStep({ ...step, fault: { kind: 'primary-term', forMs: 0, draw: 0 }, kill: null }),
    'primary-term'
  )
})
