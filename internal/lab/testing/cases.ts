/**
 * Many cases under one assertion, because thousands of tap assertions take longer than
 * the code under test.
 *
 * Errors  a failure names each failed case, or the first ones of very many.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Test } from 'tap'

const MOST_NAMED = 20

export class Cases {
  readonly #failures: { name: string; found: unknown; wanted: unknown }[] = []
  #checks = 0

  equal(found: unknown, wanted: unknown, name: string): void {
    this.#checks += 1
    if (!isDeepStrictEqual(found, wanted)) this.#failures.push({ name, found, wanted })
  }

  ok(isTrue: boolean, name: string): void {
    this.equal(isTrue, true, name)
  }

  /** The one assertion for all cases. */
  assertAll(t: Pick<Test, 'ok' | 'same'>, rule: string): void {
    t.ok(this.#checks > 0, `${rule}: there are cases`)
    t.same(this.#failures.slice(0, MOST_NAMED), [], rule)
  }

  /** For property tests, whose runner reports the failing values. */
  throwFailures(): void {
    const [first] = this.#failures
    if (first !== undefined)
      throw new Error(
        `${first.name}: ${JSON.stringify(first.found)} is not ${JSON.stringify(first.wanted)}`
      )
  }
}
