/**
 * Runs groups of the official test suite against the compiler of payload schemas.
 *
 * The suite's schemas use keywords without a `type` and set no bounds, so registration
 * would refuse most of them. They are compiled without ajv's strict mode and without the
 * cost limit, and otherwise as usual. Schemas that registration accepts as they are, are
 * tried that way too.
 *
 * A test passes, is left out for a reason of left-out.ts, or fails. A test that passes
 * although a reason covers it fails too: the list must not claim more than is true.
 */
import { admitSchema, findRefusal } from '../../systems/events/schemas/admission.js'
import { type CompiledSchema, compileSchema } from '../../systems/events/schemas/schema-compiler.js'
import { LEFT_OUT, type LeftOut } from './left-out.js'
import type { SuiteGroup, SuiteTest } from './suite-files.js'

export interface SuiteResult {
  readonly passed: number
  /** Of those, the tests whose schema registration accepts as it is. */
  readonly passedAsRegistered: number
  readonly leftOut: ReadonlyMap<LeftOut, number>
  readonly failures: readonly string[]
}

type Check = CompiledSchema['check']
type Compiled = { readonly check: Check } | { readonly refusal: string }

export function runSuite(
  groups: readonly SuiteGroup[],
  list: readonly LeftOut[] = LEFT_OUT
): SuiteResult {
  let passed = 0
  let passedAsRegistered = 0
  const leftOut = new Map<LeftOut, number>()
  const failures: string[] = []
  for (const { file, description, schema, tests } of groups) {
    const compiled = compile(schema)
    const registered = admitSchema(JSON.stringify(schema))
    for (const test of tests) {
      const failure = judge(compiled, test)
      const reasons = list.filter(({ concerns }) => concerns(schema, test))
      const reason = reasons.find(({ refusal }) => covers(refusal, failure))
      const fail = (why: string): unknown =>
        failures.push(`${file}: ${description}: ${test.description}: ${why}`)
      if (failure === null && reasons.length > 0)
        fail(`it passes, but is listed as left out: ${reasons.map(({ what }) => what).join('; ')}`)
      else if (failure === null) passed += 1
      else if (reason === undefined) fail(failure.words)
      else leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1)
      if (registered.kind === 'refused') continue
      const strictly = judge(registered, test)
      if (strictly === null) passedAsRegistered += 1
      else if (reason === undefined) fail(`as registered: ${strictly.words}`)
    }
  }
  return { passed, passedAsRegistered, leftOut, failures }
}

function compile(schema: unknown): Compiled {
  const refused = findRefusal(schema)
  if (refused !== null) return { refusal: refused.message }
  const outcome = compileSchema(schema, { isStrict: false })
  return outcome.kind === 'compiled' ? outcome : { refusal: outcome.message }
}

interface Failure {
  readonly refusal: string | null
  /** The keyword that refused the payload. */
  readonly keyword: string | null
  readonly words: string
}

function judge(compiled: Compiled, { data, valid }: SuiteTest): Failure | null {
  if ('refusal' in compiled)
    return {
      refusal: compiled.refusal,
      keyword: null,
      words: `the schema is refused: ${compiled.refusal}`
    }
  try {
    const [violation] = compiled.check(data)
    if ((violation === undefined) === valid) return null
    return {
      refusal: null,
      keyword: violation?.keyword ?? null,
      words: violation?.message ?? 'it is accepted'
    }
  } catch (error) {
    return { refusal: null, keyword: null, words: `it throws: ${String(error)}` }
  }
}

function covers(listed: string | null, failure: Failure | null): boolean {
  if (failure === null) return false
  return listed === null
    ? failure.keyword === 'format'
    : failure.refusal?.startsWith(listed) === true
}
