/**
 * Finds where a text stops being JSON. The engine's own error names the place only
 * sometimes and quotes the text, which must not be logged.
 *
 * Shapes  text in, offset out; runs only on text that JSON.parse has refused.
 * Units   offset in UTF-16 units, from 0.
 * Errors  never throws; it keeps its own stack, so nesting cannot overflow the call
 *         stack.
 * Source  RFC 8259, sections 2 to 7.
 */

const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' }
const SIMPLE_ESCAPES = '"\\/bfnrt'

/** What may come next. */
type Expect =
  | 'value'
  | 'value-or-close'
  | 'key'
  | 'key-or-close'
  | 'colon'
  | 'comma-or-close'
  | 'end'

/**
 * Offset of the first wrong character; the length of `text` if it ends too early; -1 if
 * it is JSON.
 */
export function findJsonError(text: string): number {
  const closers: string[] = []
  let expect: Expect = 'value'
  let at = skipSpace(text, 0)
  while (at < text.length) {
    const char = text.charAt(at)
    let next: number
    if (isCloser(expect) && char === closers.at(-1)) {
      closers.pop()
      expect = closers.length === 0 ? 'end' : 'comma-or-close'
      next = at + 1
    } else {
      switch (expect) {
        case 'value':
        case 'value-or-close':
          if (char === '{' || char === '[') {
            closers.push(char === '{' ? '}' : ']')
            expect = char === '{' ? 'key-or-close' : 'value-or-close'
            next = at + 1
          } else {
            next = scalarEnd(text, at)
            expect = closers.length === 0 ? 'end' : 'comma-or-close'
          }
          break
        case 'key':
        case 'key-or-close':
          next = char === '"' ? stringEnd(text, at + 1) : broken(at)
          expect = 'colon'
          break
        case 'colon':
          next = char === ':' ? at + 1 : broken(at)
          expect = 'value'
          break
        case 'comma-or-close':
          next = char === ',' ? at + 1 : broken(at)
          expect = closers.at(-1) === '}' ? 'key' : 'value'
          break
        case 'end':
          return at
      }
    }
    if (next < 0) return offsetOf(next)
    at = skipSpace(text, next)
  }
  return expect === 'end' ? -1 : text.length
}

/** Scanners return where to go on, or the place of the error coded below zero. */
const broken = (at: number): number => -at - 1
const offsetOf = broken

const isCloser = (expect: Expect): boolean =>
  expect === 'value-or-close' || expect === 'key-or-close' || expect === 'comma-or-close'
const isDigit = (char: string): boolean => char >= '0' && char <= '9' && char.length === 1
const isHex = (char: string): boolean => /^[\da-f]$/i.test(char)

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \n\r\t'.includes(text.charAt(at))) at++
  return at
}

function scalarEnd(text: string, at: number): number {
  const char = text.charAt(at)
  if (char === '"') return stringEnd(text, at + 1)
  const literal = LITERALS[char]
  return literal === undefined ? numberEnd(text, at) : literalEnd(text, at, literal)
}

function literalEnd(text: string, at: number, literal: string): number {
  for (let i = 0; i < literal.length; i++)
    if (text.charAt(at + i) !== literal.charAt(i)) return broken(at + i)
  return at + literal.length
}

function stringEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '"') return at + 1
    if (char < ' ') return broken(at)
    if (char !== '\\') continue
    at++
    if (text.charAt(at) === 'u') {
      for (let digits = 0; digits < 4; digits++)
        if (!isHex(text.charAt(++at))) return broken(Math.min(at, text.length))
    } else if (at < text.length && !SIMPLE_ESCAPES.includes(text.charAt(at))) {
      return broken(at)
    }
  }
  return broken(text.length)
}

function numberEnd(text: string, from: number): number {
  let at = text.charAt(from) === '-' ? from + 1 : from
  if (text.charAt(at) === '0') at++
  else if ((at = digitsEnd(text, at)) < 0) return at
  if (text.charAt(at) === '.' && (at = digitsEnd(text, at + 1)) < 0) return at
  if (text.charAt(at) !== 'e' && text.charAt(at) !== 'E') return at
  const sign = text.charAt(at + 1)
  return digitsEnd(text, sign === '+' || sign === '-' ? at + 2 : at + 1)
}

/** The end of a run of at least one digit. */
function digitsEnd(text: string, from: number): number {
  let at = from
  while (isDigit(text.charAt(at))) at++
  return at === from ? broken(at) : at
}
