/**
 * Runs the regular expressions of schemas on RE2, whose time is linear in the length of
 * the text and in the size of the pattern, whatever they are.
 *
 * Shapes  patterns are those of ECMAScript with the flag `u`, as in JSON Schema. They are
 *         translated where RE2 reads the same characters differently (`.`, `\s`) or has
 *         another spelling (`\uXXXX`, `\p{Script=…}`). Look-arounds and references to
 *         groups have no linear solution and are refused.
 * Errors  PatternError with a message for the schema's author.
 */
import { RE2JS } from 're2js'

export class PatternError extends Error {
  override readonly name = 'PatternError'
}

export interface LinearPattern {
  readonly test: (text: string) => boolean
  /** ajv distinguishes patterns by this. */
  readonly toString: () => string
  /** Instructions of the compiled pattern: the most that one character can cost. */
  readonly size: number
}

const MAX_PATTERN_CHARS = 1_000
const MAX_PATTERN_SIZE = 2_000

const SPACE =
  String.raw`\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}` +
  String.raw`\x{202f}\x{205f}\x{3000}\x{feff}`
const NO_SPACE =
  String.raw`\x{0}-\x{8}\x{e}-\x{1f}!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}` +
  String.raw`\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}` +
  String.raw`\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}`
const NO_LINE_END = String.raw`[^\n\r\x{2028}\x{2029}]`
const ANYTHING = String.raw`\x{0}-\x{10ffff}`

const TOKEN =
  /\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\u\{0*([0-9a-fA-F]+)\}|\\u([0-9a-fA-F]{4})|\\c([A-Za-z])|\\([pP])\{(?:(?:Script|sc|General_Category|gc)=)?(\w+)\}|\\[^]|\[\^?\]?|[^]/gu

export function compilePattern(pattern: string): LinearPattern {
  if (pattern.length > MAX_PATTERN_CHARS)
    throw new PatternError(`the pattern is longer than ${MAX_PATTERN_CHARS} characters`)
  try {
    // RE2 accepts patterns that the standard does not, with a meaning of its own.
    new RegExp(pattern, 'u')
  } catch (error) {
    throw new PatternError(wordsOf(error))
  }
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(translate(pattern))
  } catch (error) {
    throw new PatternError(
      'the pattern cannot run in linear time (no look-arounds, no references to groups) ' +
        `or is too large: ${wordsOf(error)}`
    )
  }
  const size = compiled.programSize()
  if (size > MAX_PATTERN_SIZE)
    throw new PatternError(`the pattern is too large (${size} steps, at most ${MAX_PATTERN_SIZE})`)
  return { test: text => compiled.test(text), toString: () => pattern, size }
}

function translate(pattern: string): string {
  let isInClass = false
  return pattern.replace(TOKEN, (token: string, ...groups: (string | undefined)[]) => {
    const [high, low, point, unit, control, property, name] = groups
    if (high !== undefined && low !== undefined)
      return codePoint(String.fromCharCode(parseInt(high, 16), parseInt(low, 16)).codePointAt(0))
    if (point !== undefined || unit !== undefined)
      return codePoint(parseInt(point ?? unit ?? '', 16))
    if (control !== undefined) return codePoint(control.charCodeAt(0) % 32)
    if (property !== undefined) return `\\${property}{${name ?? ''}}`
    switch (token) {
      case '\\s':
        return isInClass ? SPACE : `[${SPACE}]`
      case '\\S':
        return isInClass ? NO_SPACE : `[${NO_SPACE}]`
      case '\\0':
        return codePoint(0)
      case '\\b':
        return isInClass ? codePoint(8) : token
      case '.':
        return isInClass ? token : NO_LINE_END
      case '[]':
      case '[^]':
        if (!isInClass) return token === '[]' ? `[^${ANYTHING}]` : `[${ANYTHING}]`
        isInClass = false
        return `\\${token}`
      case '[':
      case '[^':
        if (isInClass) return `\\${token}`
        isInClass = true
        return token
      case ']':
        isInClass = false
        return token
      default:
        return token
    }
  })
}

function codePoint(point: number | undefined): string {
  return `\\x{${(point ?? 0).toString(16)}}`
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
