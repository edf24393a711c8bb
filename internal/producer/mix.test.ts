import fc from 'fast-check'
import t from 'tap'
import { createMix, type EventKind } from './mix.js'
import { createRandom } from './random.js'

type Kinds = (EventKind | null)[]

function draw(count: number, duplicates: number, invalid: number, seed: string): Kinds {
  const next = createMix({ count, duplicates, invalid }, createRandom(seed))
  let canRepeat = false
  return Array.from({ length: count + 1 }, () => {
    const kind = next(canRepeat)
    canRepeat ||= kind === 'fresh'
    return kind
  })
}

const count = (kinds: Kinds, kind: EventKind): number => kinds.filter(one => one === kind).length

t.test('the shares come out exactly, whatever the seed', async t => {
  const rows = [
    { why: 'the usual run', events: 1_000, duplicates: 0.1, invalid: 0.05, want: [850, 100, 50] },
    { why: 'more than one block', events: 2_345, duplicates: 0.1, invalid: 0.05, want: [1_993, 235, 117] },
    { why: 'none at all', events: 17, duplicates: 0, invalid: 0, want: [17, 0, 0] },
    { why: 'nothing but invalid ones', events: 17, duplicates: 0, invalid: 1, want: [0, 0, 17] },
    { why: 'the first of nothing but repetitions has to be new', events: 17, duplicates: 1, invalid: 0, want: [1, 16, 0] }
  ]
  for (const { why, events, duplicates, invalid, want } of rows) {
    for (const seed of ['a', 'b', 'c']) {
      const kinds = draw(events, duplicates, invalid, seed)
      t.same([count(kinds, 'fresh'), count(kinds, 'duplicate'), count(kinds, 'invalid')], want, `${why}, seed ${seed}`)
    }
  }
})

t.test('every event gets one kind, the shares never exceed what was asked for, and then there are no more', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.string(),
      (events, duplicates, part, seed) => {
        const invalid = (1 - duplicates) * part
        const kinds = draw(events, duplicates, invalid, seed)
        return (
          kinds.at(-1) === null &&
          kinds.indexOf(null) === events &&
          count(kinds, 'invalid') === Math.round(events * invalid) &&
          count(kinds, 'duplicate') <= Math.round(events * duplicates)
        )
      }
    ),
    { numRuns: 60 }
  )
})

t.test('a run without end keeps its shares in every block of a thousand', async t => {
  const next = createMix({ count: null, duplicates: 0.2, invalid: 0.1 }, createRandom('endless'))
  for (let block = 0; block < 3; block++) {
    const kinds = Array.from({ length: 1_000 }, () => next(true))
    t.same([count(kinds, 'duplicate'), count(kinds, 'invalid')], [200, 100])
  }
})
