/**
 * Makes foreign text safe for a terminal: control characters, direction marks and half
 * surrogate pairs become escapes, so that a producer's text cannot clear the screen or
 * pass for ours.
 *
 * Units   columns of a terminal: wide characters take two, combining ones none. Good for
 *         alignment, not exact for every script.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
const WIDE_SCRIPTS = ['Han', 'Hiragana', 'Katakana', 'Hangul']
const WIDE = new RegExp(
  `[${WIDE_SCRIPTS.map(script => `\\p{Script=${script}}`).join('')}` +
    '\\p{Emoji_Presentation}\\u3000-\\u303f\\uff01-\\uff60]',
  'u'
)
const NO_WIDTH = /\p{M}/u

/** One line. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, escape)
}

/** As printable, but keeps line breaks and tabs. */
export function printableLines(text: string): string {
  return text.replaceAll(UNPRINTABLE, character =>
    character === '\n' || character === '\t' ? character : escape(character)
  )
}

function escape(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\t') return '\\t'
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
  ).join('')
}

export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += widthOfCharacter(character)
  return width
}

/** Cuts text to `width` columns, with an ellipsis if something is left out. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let taken = 0
  let kept = ''
  for (const character of text) {
    taken += widthOfCharacter(character)
    if (taken > width - 1) break
    kept += character
  }
  return `${kept}…`
}

function widthOfCharacter(character: string): number {
  if (character <= '~') return 1
  if (NO_WIDTH.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/** For example `2026-01-31 08:05:09`, in UTC. */
export function formatTime(time: Date | null): string {
  return time === null ? '' : time.toISOString().slice(0, 19).replace('T', ' ')
}

/** For example `1,204,000`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}

/** For example `1 message`, `1,204 messages`. */
export function formatPlural(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`
}
