/**
 * A hostile body with its only correct outcome, and helpers to write one in a line.
 *
 * The tables hold the seed rows: `client-1` to `client-3`; `monitor-app`,
 * `transaction-app`, `user-app`. Bodies have no event_id unless they are about ids, so
 * that each is a separate event.
 */
import type { Disposition } from '../../../engine/message/message.js'
import type { RejectionReason } from '../../../systems/events/event/event.js'

export interface HostileBody {
  /** Unique. */
  readonly name: string
  readonly body: string
  readonly outcome: Disposition
  /** Sent and stored before it: the event that it conflicts with. */
  readonly first?: string
  /** The stored payload, where the outcome is `stored`. */
  readonly payload?: string
  /** The stored message_id, where the body names one. */
  readonly messageId?: string
}

/** JSON texts for the fields of a body; they need not be valid. */
export interface Texts {
  readonly client?: string
  readonly type?: string
  readonly id?: string
  readonly message?: string
  /** More keys, each followed by a comma. */
  readonly before?: string
}

/** A body in which one thing can be odd. */
export function body({
  client = '"client-1"',
  type = '"monitor-app"',
  id,
  message = '"hello"',
  before = ''
}: Texts = {}): string {
  const idText = id === undefined ? '' : `"event_id":${id},`
  return `{${before}"event_type":${type},"client_id":${client},${idText}"message":${message}}`
}

export const refusedBody = (reason: RejectionReason, name: string, text: string): HostileBody => ({
  name,
  body: text,
  outcome: reason
})

/** A payload that is odd and must be stored as it is. */
export const payload = (name: string, text: string): HostileBody => ({
  name,
  body: body({ message: text }),
  outcome: 'stored',
  payload: text
})

/** A string as JSON writes it. */
export const json = (text: string): string => JSON.stringify(text)

export const nested = (levels: number, open = '[', inside = '', close = ']'): string =>
  open.repeat(levels) + inside + close.repeat(levels)

/**
 * Texts that do harm where text is interpreted, or judged by its looks. Here they are all
 * ordinary text.
 */
export const HARMFUL_TEXTS: Readonly<Record<string, string>> = {
  'SQL that closes a string': `'; DROP TABLE message; --`,
  'SQL that is always true': `' OR '1'='1`,
  'SQL in a comment': `client-1'/**/UNION/**/SELECT/**/1--`,
  'SQL with a dollar quote': `$$; DELETE FROM client; $$`,
  'a parameter of a statement': '$1',
  'the word NULL': 'NULL',
  'an end of COPY': '\\.',
  'an array of PostgreSQL': '{"a","b",NULL}',
  'a cast': `x'::regclass`,
  'a LIKE pattern': '%_%',
  'HTML with a script': '<script>alert(1)</script>',
  'HTML with a handler': '"><img src=x onerror=alert(1)>',
  'an entity of XML': '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
  'a format string': '%s%n%x%d%p %1$s {} {0}',
  'a template': '${7*7} {{7*7}} #{7*7} <%= 7*7 %>',
  'a lookup of a logger': '${jndi:ldap://example.invalid/a}',
  'a command of a shell': '`id`; $(id) | id && id',
  'a path upwards': '../../../../etc/passwd',
  'a path of Windows': '..\\..\\windows\\win.ini',
  'a URL of a file': 'file:///etc/passwd',
  'a second log line': 'x\n{"level":50,"msg":"forged"}',
  'a second header': 'x\r\nSet-Cookie: a=b',
  'a colour of a terminal': '\u001b[31mred\u001b[0m\u001b]0;title\u0007',
  'a control of eight bits': '\u009b31m\u0085',
  'a label of a metric': 'a"} 1\nforged_total{x="',
  'a formula of a sheet': '=cmd|/C calc!A0',
  'a backspace': 'a\b\bb',
  'a delete': 'a\u007fb',
  'one blank': ' ',
  'blanks around it': '  x  ',
  'a tab and a line end': '\t\r\n',
  'text from right to left': '\u202egnp.exe',
  'Arabic and Hebrew': 'مرحبا שלום',
  'marks of direction': '\u200e\u200f\u2066x\u2069',
  'characters without width': 'a\u200bb\u200cc\u200dd\u2060e\ufeff',
  'a soft hyphen': 'cli\u00adent',
  'letters that look like others': 'сlіеnt-1',
  'a long combination': `e${'\u0301'.repeat(50)}`,
  'an e with its accent': 'caf\u00e9',
  'an e and its accent': 'cafe\u0301',
  'a family of five': '👨‍👩‍👧‍👦🏽',
  'a flag': '🇧🇷',
  'characters beyond 16 bits': '𝕏𐍈🎫',
  'characters that are none': '\ufffe\uffff\u{1fffe}\u{10ffff}',
  'a replacement character': '\ufffd',
  'a private character': '\ue000\u{f0000}',
  'separators of lines and paragraphs': 'a\u2028b\u2029c',
  'a byte order mark': '\ufeffx',
  'wide digits and letters': '１２３ａｂｃ',
  'Turkish letters': 'İıŞş',
  'a sharp s in capitals': 'STRAẞE',
  ligatures: 'ﬁﬂ',
  'the word true': 'true',
  'the word undefined': 'undefined',
  'a number': '9007199254740993',
  'a number without an end': '1e400',
  'not a number': 'NaN',
  'a name of every object': '__proto__',
  'a name of every class': 'constructor',
  'a name of every function': 'toString'
}
