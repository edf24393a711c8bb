/**
 * Many cases under one assertion: tap takes longer over thousands of them than the code
 * under test does.
 *
 * Errors  a failure names each case that does not hold, or the first of very many.
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

  /** The one assertion, of what holds for all of them. */
  assertAll(t: Pick<Test, 'ok' | 'same'>, rule: string): void {
    t.ok(this.#checks > 0, `${rule}: there are cases`)
    t.same(this.#failures.slice(0, MOST_NAMED), [], rule)
  }

  /** For a property, whose runner says with which values it failed. */
  throwFailures(): void {
    const [first] = this.#failures
    if (first !== undefined)
      throw new Error(
        `${first.name}: ${JSON.stringify(first.found)} is not ${JSON.stringify(first.wanted)}`
      )
  }
}
