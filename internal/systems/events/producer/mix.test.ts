import fc from 'fast-check'
import t from 'tap'
import { createRandom } from '../../../engine/cli/random.js'
import { createMix, type EventKind } from './mix.js'

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

t.test('the shares are exact, whatever the seed', async t => {
  const rows = [
    { why: 'the usual run', events: 1_000, duplicates: 0.1, invalid: 0.05, want: [850, 100, 50] },
    {
      why: 'more than one block',
      events: 2_345,
      duplicates: 0.1,
      invalid: 0.05,
      want: [1_993, 235, 117]
    },
    { why: 'only new ones', events: 17, duplicates: 0, invalid: 0, want: [17, 0, 0] },
    { why: 'only invalid ones', events: 17, duplicates: 0, invalid: 1, want: [0, 0, 17] },
    {
      why: 'only duplicates, but the first must be new',
      events: 17,
      duplicates: 1,
      invalid: 0,
      want: [1, 16, 0]
    }
  ]
  for (const { why, events, duplicates, invalid, want } of rows) {
    for (const seed of ['a', 'b', 'c']) {
      const kinds = draw(events, duplicates, invalid, seed)
      t.same(
        [count(kinds, 'fresh'), count(kinds, 'duplicate'), count(kinds, 'invalid')],
        want,
        `${why}, seed ${seed}`
      )
    }
  }
})

t.test('each event has one kind, no share is exceeded, and then the run ends', async () => {
  const perMille = fc.integer({ min: 0, max: 1_000 })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3_000 }),
      perMille,
      perMille,
      fc.string(),
      (events, duplicates, part, seed) => {
        const shares = [duplicates / 1_000, ((1_000 - duplicates) * part) / 1_000_000] as const
        const kinds = draw(events, ...shares, seed)
        return (
          kinds.indexOf(null) === events &&
          count(kinds, 'invalid') === Math.round(events * shares[1]) &&
          count(kinds, 'duplicate') <= Math.round(events * shares[0])
        )
      }
    ),
    { numRuns: 60 }
  )
})

t.test('an endless run keeps its shares in every block of 1,000', async t => {
  const next = createMix({ count: null, duplicates: 0.2, invalid: 0.1 }, createRandom('endless'))
  for (let block = 0; block < 3; block++) {
    const kinds = Array.from({ length: 1_000 }, () => next(true))
    t.same([count(kinds, 'duplicate'), count(kinds, 'invalid')], [200, 100])
  }
})
