/**
 * Describes a value of a body by kind and size, never by content: payloads belong neither
 * in logs nor in reasons.
 */

/**
 * For example `an empty string`, `a string of 101 characters (404 bytes)`, `an array of 3
 * items`, `nothing`.
 */
export function describeFound(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value === 'string') return describeString(value)
  if (Array.isArray(value)) return `an array of ${value.length} items`
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function describeString(text: string): string {
  if (text === '') return 'an empty string'
  let characters = 0
  for (let at = 0; at < text.length; characters++)
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
  return `a string of ${characters} characters (${Buffer.byteLength(text)} bytes)`
}
