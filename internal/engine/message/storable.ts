/**
 * Which text a PostgreSQL `text` column stores and returns unchanged.
 *
 * Errors  never throws.
 * Source  PostgreSQL refuses U+0000 in text (SQLSTATE 22021). UTF-8 has no lone
 *         surrogates, so a driver silently replaces them, and two different ids could
 *         become one.
 */
/// <reference lib="es2024.string" />

const UNSTORABLE = /[\0\p{Surrogate}]/gu
const CUT = '…'

/** Whether `text` has no lone surrogate, so that UTF-8 can encode it. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed()
}

export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/**
 * `text` made fit for a report: at most `maxChars` UTF-16 units, with U+FFFD in place of
 * anything that cannot be stored.
 */
export function toStorable(text: string, maxChars: number): string {
  const cut = text.length > maxChars ? text.slice(0, maxChars - CUT.length) + CUT : text
  return isStorable(cut) ? cut : cut.replace(UNSTORABLE, '\uFFFD')
}

/** The whole `text`, as a JSON string if it cannot be stored as it is. */
export function toStorableText<T extends string | null>(
  text: T
): T extends string ? string : string | null
export function toStorableText(text: string | null): string | null {
  return text === null || isStorable(text) ? text : JSON.stringify(text)
}
