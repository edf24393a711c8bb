/**
 * Payloads checked against a schema: violations, and strings that make a careless regular
 * expression run for ever.
 */
import type { RegisteredSchema } from '../../../systems/events/schemas/payload-schemas.js'
import { body, type HostileBody, json, refusedBody } from './hostile-body.js'

/**
 * In force for every client's `user-app`. Written as a careful author would, with a
 * length limit for each pattern.
 */
export const HOSTILE_SCHEMA: RegisteredSchema = {
  id: 1,
  eventType: 'user-app',
  clientId: null,
  version: 1,
  state: 'active',
  hash: 'hostile',
  schema: {
    type: 'object',
    properties: {
      slug: { type: 'string', maxLength: 200_000, pattern: '^[a-z]+(?:-[a-z]+)*$' },
      code: { type: 'string', pattern: '^[A-Z]{3}-\\d{4}$' },
      mail: { type: 'string', format: 'email' },
      link: { type: 'string', format: 'uri' },
      at: { type: 'string', format: 'date-time' },
      host: { type: 'string', format: 'hostname' },
      address: { type: 'string', format: 'ipv6' },
      uuid: { type: 'string', format: 'uuid' },
      count: { type: 'integer', minimum: 0, maximum: 1_000_000 },
      tags: { type: 'array', maxItems: 1_000, uniqueItems: true },
      kind: { enum: ['a', 'b'] }
    },
    additionalProperties: false
  }
}

const withPayload = (value: unknown): string =>
  body({ type: '"user-app"', message: typeof value === 'string' ? value : JSON.stringify(value) })
const LONG = 100_000

const VIOLATIONS: Readonly<Record<string, unknown>> = {
  'letters without an end, then a bang, for a slug': { slug: `${'a'.repeat(LONG)}!` },
  'hyphens without an end for a slug': { slug: '-'.repeat(LONG) },
  'letters and hyphens without an end for a slug': { slug: 'a-'.repeat(LONG / 2) },
  'a slug with a line end': { slug: 'a-b\n' },
  'a slug with a letter that looks right': { slug: 'а-b' },
  'digits of another script for a code': { code: 'ABC-١٢٣٤' },
  'signs without an end for a mail address': { mail: '@'.repeat(LONG) },
  'points without an end for a mail address': { mail: `${'a.'.repeat(LONG / 2)}@` },
  'a mail address without an end': { mail: `a@${'a'.repeat(LONG)}` },
  'slashes without an end for a link': { link: `http:${'/'.repeat(LONG)}\u0001` },
  'percents without an end for a link': { link: `http://a/${'%'.repeat(LONG)}` },
  'a link to a script with a blank': { link: 'java script:alert(1)' },
  'digits without an end for a time': { at: '1'.repeat(LONG) },
  'a time that is none': { at: '2026-02-30T25:61:61Z' },
  'labels without an end for a host': { host: 'a.'.repeat(LONG / 2) },
  'colons without an end for an address': { address: ':'.repeat(LONG) },
  'digits without an end for a uuid': { uuid: '0'.repeat(LONG) },
  'a number that is too large': '{"count":1e400}',
  'a number that is no integer': '{"count":1.5}',
  'a number below zero': '{"count":-1}',
  'a number as a text': { count: '1' },
  'equal tags, told apart only by blanks': '{"tags":[{"a":1},{ "a" : 1 }]}',
  'tags that are too many': { tags: Array.from({ length: 1_001 }, (_, n) => n) },
  'a kind that is every object’s': { kind: 'constructor' },
  'a key that is not known': { unknown: 1 },
  'a key that is every object’s': '{"constructor":1}',
  'a prototype': '{"__proto__":{"slug":"a"}}',
  'a key of 100,000 characters that is not known': { ['k'.repeat(LONG)]: 1 },
  '50,000 keys that are not known': Object.fromEntries(
    Array.from({ length: 50_000 }, (_, n) => [`k${n}`, 0])
  ),
  'an array where an object is due': [],
  'a text where an object is due': json('text')
}

const FITTING: Readonly<Record<string, string>> = {
  'nothing in it': '{}',
  'a slug of 100,000 characters': `{"slug":"${'a'.repeat(LONG)}"}`,
  'a slug of 50,000 words': `{"slug":"${Array.from({ length: 50_000 }, () => 'a').join('-')}"}`,
  'the last of equal keys in order': '{"count":-1,"count":1}',
  'a thousand tags': `{"tags":[${Array.from({ length: 1_000 }, (_, n) => n).join()}]}`,
  'an integer written with an exponent': '{"count":1e3}'
}

export const SCHEMAS: readonly HostileBody[] = [
  ...Object.entries(VIOLATIONS).map(([name, value]) =>
    refusedBody('schema-violation', `against a schema: ${name}`, withPayload(value))
  ),
  ...Object.entries(FITTING).map(([name, text]) => ({
    name: `as a schema wants it: ${name}`,
    body: withPayload(text),
    outcome: 'stored' as const,
    payload: text
  }))
]
