/**
 * The cost of checking values against a schema: how the costs of the parts make the cost
 * of the whole.
 *
 * Units   steps (cost-weights.ts); bytes of the payload's text.
 */
export const BODY_BYTES = 1_048_576

/** The cost of checking a value against a keyword, in steps. */
export interface Cost {
  /** Of a smallest value. */
  readonly base: number
  /** Of each further byte of the value. */
  readonly rate: number
  /** Of the most expensive value, which may have all bytes of the body. */
  readonly worst: number
}

/**
 * The cost of checking a value against a subschema: the sum of `costs`. Bounded costs are
 * kept apart from unbounded ones.
 */
export interface Profile {
  readonly costs: readonly Cost[]
  /**
   * Of each further byte. Less than the sum of all rates if each byte belongs to only one
   * part of the value.
   */
  readonly rate: number
}

/** Further ones are added up, which only makes the bound looser. */
const MAX_COSTS = 8
export const FREE: Profile = { costs: [], rate: 0 }
export const ENDLESS: Profile = {
  costs: [{ base: Infinity, rate: Infinity, worst: Infinity }],
  rate: Infinity
}

export function fixed(steps: number): Profile {
  return steps === 0 ? FREE : { costs: [{ base: steps, rate: 0, worst: steps }], rate: 0 }
}

export function perByte(base: number, rate: number, most = Infinity): Profile {
  return { costs: [{ base, rate, worst: Math.min(most, base + rate * BODY_BYTES) }], rate }
}

export function worstOf({ costs }: Profile): number {
  return sum(costs).worst
}

function sum(costs: readonly Cost[]): Cost {
  let all: Cost = { base: 0, rate: 0, worst: 0 }
  for (const { base, rate, worst } of costs)
    all = { base: all.base + base, rate: all.rate + rate, worst: all.worst + worst }
  return all
}

/** Keywords that all check the same value. */
export function add(profiles: readonly Profile[]): Profile {
  const costs = profiles.flatMap(profile => profile.costs).toSorted((a, b) => a.rate - b.rate)
  const rate = profiles.reduce((total, profile) => total + profile.rate, 0)
  return {
    costs:
      costs.length <= MAX_COSTS
        ? costs
        : [...costs.slice(1 - MAX_COSTS), sum(costs.slice(0, 1 - MAX_COSTS))],
    rate
  }
}

/** Keywords of which only one can apply to a value. */
export function oneOf(profiles: readonly Profile[]): Profile {
  const longest = Math.max(...profiles.map(({ costs }) => costs.length))
  const costs = Array.from({ length: longest }, (_, index) => {
    const most = (of: (cost: Cost) => number): number =>
      Math.max(0, ...profiles.flatMap(one => one.costs.slice(index, index + 1).map(of)))
    return {
      base: most(({ base }) => base),
      rate: most(({ rate }) => rate),
      worst: most(({ worst }) => worst)
    }
  })
  return { costs, rate: Math.max(...profiles.map(({ rate }) => rate)) }
}

/**
 * Splits to try: costs with a higher rate, or with a worst case of at most `steps`, are
 * counted in full; the others share the bytes.
 */
const APART = [1, 5, 20, 25, 30, 50, 100, 300, 1_000, Infinity].flatMap(rate =>
  [0, 1_000_000].map(steps => ({ rate, steps }))
)

/** Parts of one value that share its bytes: each byte belongs to one of them. */
export function together(profiles: readonly Profile[]): Profile {
  let best: readonly Cost[] = []
  for (const { rate, steps } of APART) {
    const isApart = (cost: Cost): boolean => cost.rate > rate || cost.worst <= steps
    const apart = inFull(profiles, isApart)
    const others = inFull(profiles, cost => !isApart(cost))
    const shared = {
      ...others,
      worst: Math.min(others.worst, others.base + others.rate * BODY_BYTES)
    }
    const split = [apart, shared].filter(({ worst }) => worst > 0)
    // Of two equal splits, take the one that leaves more to share.
    if (best.length === 0 || sum(split).worst <= sum(best).worst) best = split
  }
  return { costs: best, rate: Math.max(0, ...profiles.map(({ rate }) => rate)) }
}

function inFull(profiles: readonly Profile[], isMeant: (cost: Cost) => boolean): Cost {
  const each = profiles.map(({ costs, rate }) => {
    const meant = sum(costs.filter(isMeant))
    return { ...meant, rate: Math.min(meant.rate, rate) }
  })
  return { ...sum(each), rate: Math.max(0, ...each.map(({ rate }) => rate)) }
}

/**
 * As many parts as the bytes of the value allow, at most `most`: many small ones or a few
 * large ones.
 */
export function repeated(
  profile: Profile,
  extra: number,
  bytesEach: number,
  most: number
): Profile {
  if (most === 0) return FREE
  const { costs, rate } = add([profile, fixed(extra)])
  const { base, worst: dearest } = sum(costs)
  const dense = Math.min(Math.max(base / bytesEach, rate), dearest / bytesEach)
  const often = Math.min(most, BODY_BYTES / bytesEach)
  const apart = costs.map(cost =>
    Math.min(
      times(often, cost.worst),
      Math.max(cost.base / bytesEach, cost.rate) * BODY_BYTES,
      times(often, cost.base) + cost.rate * BODY_BYTES
    )
  )
  const worst = apart.reduce((total, steps) => total + steps, 0)
  return {
    costs: [{ base: 0, rate: dense, worst: Math.min(worst, dense * BODY_BYTES) }],
    rate: dense
  }
}

/** Zero steps stay zero, however often. */
function times(often: number, steps: number): number {
  return steps === 0 ? 0 : often * steps
}
