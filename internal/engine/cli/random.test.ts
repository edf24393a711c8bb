import t from 'tap'
import { createRandom } from './random.js'

const numbers = (seed: string): number[] => {
  const random = createRandom(seed)
  return Array.from({ length: 2_000 }, () => random.below(1_000_000))
}

t.test('the same seed gives the same numbers, another seed others', async t => {
  t.same(numbers('monday'), numbers('monday'))
  t.notSame(numbers('monday'), numbers('tuesday'))
})

t.test('numbers fill the range from 0 to below the limit', async t => {
  const random = createRandom('dice')
  const seen = new Set(Array.from({ length: 500 }, () => random.below(6)))
  t.same([...seen].sort(), [0, 1, 2, 3, 4, 5])
})

t.test('ids are unique version 4 UUIDs, also past the first block of random bytes', async t => {
  const random = createRandom('ids')
  const ids = Array.from({ length: 2_000 }, () => random.uuid())
  t.same(
    ids.filter(
      id => !/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)
    ),
    []
  )
  t.equal(new Set(ids).size, 2_000)
  t.not(createRandom().uuid(), createRandom().uuid(), 'without a seed every run has its own ids')
})
