/**
 * Whether a header that a client wants on its deliveries may be sent.
 *
 * Shapes  name and value in; null, or a sentence that says what is wrong. The value may
 *         be a credential and is never repeated.
 * Source  RFC 9110 5.1 and 5.5 for the form; headers that frame the request or are signed
 *         are ours alone.
 */
const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/
const VALUE = /^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$/
const MAX_VALUE_CHARACTERS = 4_096

/** They say where the request ends, who it is for, or how the answer may be encoded. */
const OURS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent'
])
const OUR_PREFIXES = ['webhook-', 'proxy-'] as const

/** `name` is in lower case, as it is stored. */
export function refuseEndpointHeader(name: string, value: string): string | null {
  if (!NAME.test(name))
    return 'a header name must be 1 to 100 lower-case letters, digits and hyphens'
  if (OURS.has(name) || OUR_PREFIXES.some(prefix => name.startsWith(prefix)))
    return `${name} is set by the sender: choose another name`
  if (value.length > MAX_VALUE_CHARACTERS)
    return `the value of ${name} has more than ${MAX_VALUE_CHARACTERS} characters: shorten it`
  return VALUE.test(value)
    ? null
    : `the value of ${name} must be visible ASCII, with spaces only inside: encode the rest`
}
