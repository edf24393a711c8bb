/**
 * `endpoints add`: a client's URL, which events go there, and the secret that signs them.
 */

import { type Flags, readNumber } from '../../../engine/cli/flags.js'
import { JSON_OPTION, readText } from '../../../engine/cli/options.js'
import { printable } from '../../../engine/cli/terminal-text.js'
import { refuseEndpointHeader } from '../../../engine/egress/header.js'
import { checkEndpointUrl } from '../../../engine/egress/url.js'
import { HEADERS_FIELD, SECRET_FIELD } from '../delivery/endpoint.js'
import { newSecret, parseSecret } from '../delivery/secret.js'
import type { NewEndpoint, SealFor } from '../delivery/store/endpoints.js'
import type { AdminCommand, AdminEgress, AdminWork } from './context.js'
import { unknownName } from './unknown-name.js'

export const addEndpoint: AdminCommand = {
  name: 'add',
  summary:
    'Registers a URL for the events of a client that are stored from now on; ' +
    'shows its secret once',
  operands: { text: 'CLIENT URL', max: 2 },
  options: {
    'event-types': {
      value: 'A,B',
      text: 'only events of these types; default: all, including types added later'
    },
    ordered: {
      value: null,
      text:
        'one delivery at a time, in the order in which events were stored; ' +
        'a failing one holds up the rest'
    },
    'max-concurrency': {
      value: 'N',
      text: 'most deliveries under way at once (1 to 1000, default 10)'
    },
    'max-per-s': { value: 'N', text: 'most attempts per second (default: no limit)' },
    'timeout-ms': {
      value: 'N',
      text: 'longest attempt, from connecting to the end of the answer (100 to 60000, default 15000)'
    },
    header: {
      value: 'NAME=VALUE',
      text: 'sent with each delivery; may be given several times; kept encrypted',
      isRepeated: true
    },
    secret: { value: 'whsec_…', text: 'a secret that the client already has; default: a new one' },
    ...JSON_OPTION
  },
  notes:
    'Deliveries are signed as in Standard Webhooks; the client checks them with its secret and ' +
    'any library for it. Secrets and headers are stored encrypted (SENDER_SECRET_KEYS), so a ' +
    'lost secret cannot be looked up: endpoints rotate-secret makes another. The URL must be ' +
    'https and lead to public addresses, unless SENDER_ALLOW_HTTP and SENDER_ALLOW_ADDRESSES ' +
    'allow more. For events stored earlier: deliveries backfill.',
  examples: [
    'endpoints add client-1 https://hooks.example.com/events',
    'endpoints add client-1 https://hooks.example.com/users --event-types user-app --ordered --header x-tenant=7'
  ],
  prepare
}

function prepare(flags: Flags): AdminWork {
  const [client = '', url = ''] = flags.operands
  if (client === '') flags.problems.push('CLIENT is missing')
  if (url === '') flags.problems.push('URL is missing')
  const isOrdered = flags.isOn('ordered')
  const endpoint: NewEndpoint = {
    client,
    url,
    eventTypes: readEventTypes(flags),
    isOrdered,
    maxConcurrency: readNumber(flags, 'max-concurrency', 1, 1_000) ?? null,
    maxPerSecond: readNumber(flags, 'max-per-s', 0.001, 1_000_000, false) ?? null,
    timeoutMs: readNumber(flags, 'timeout-ms', 100, 60_000) ?? null
  }
  if (isOrdered && endpoint.maxConcurrency !== null)
    flags.problems.push('--ordered means one at a time: leave out --max-concurrency')
  const headers = readHeaders(flags)
  const given = readSecret(flags)
  return async context => {
    const egress = context.egress()
    const verdict = checkEndpointUrl(url, egress.rules)
    if (verdict.kind === 'refused') {
      context.output.remark(printable(`The URL is refused: ${verdict.reason}`))
      return 1
    }
    const secret = given ?? newSecret()
    const outcome = await context.endpoints.add(endpoint, sealFor(egress, secret, headers))
    if (outcome.kind === 'unknown-client')
      return unknownName('client', client, context.clients, context)
    if (outcome.kind === 'unknown-event-type')
      return unknownName('event type', outcome.eventType, context.eventTypes, context)
    const { id } = outcome
    // A given secret is not printed: output may be kept in a log.
    if (flags.isOn('json'))
      await context.output.json({ id, client, url, secret: given === null ? secret : null })
    else {
      await context.output.write(
        `${printable(`Endpoint ${id} of ${client} added: ${url}`)}\n${tellSecret(given === null ? secret : null)}`
      )
      context.output.remark(
        `It gets events stored from now on. endpoints test ${id} sends a test event to it.`
      )
    }
    return 0
  }
}

export function tellSecret(secret: string | null): string {
  return secret === null
    ? ''
    : `secret ${secret}\nThe secret is shown only this once: send it to the client over a private channel.\n`
}

/** Seals both for one endpoint: the sealed values open nowhere else. */
export function sealFor(
  { keys }: AdminEgress,
  secret: string,
  headers: Readonly<Record<string, string>> | null
): SealFor {
  return (endpointId, client) => {
    const place = { clientId: client, endpointId: String(endpointId) }
    return {
      secret: keys.seal(secret, { ...place, field: SECRET_FIELD }),
      headers:
        headers === null
          ? null
          : keys.seal(JSON.stringify(headers), { ...place, field: HEADERS_FIELD })
    }
  }
}

function readEventTypes(flags: Flags): readonly string[] | null {
  const text = readText(flags, 'event-types')
  if (text === null) return null
  const types = text.split(',').map(type => type.trim())
  if (types.includes(''))
    flags.problems.push('--event-types must be names with commas between them')
  return [...new Set(types)]
}

/** Problems never quote a value: it may be a credential. */
function readHeaders(flags: Flags): Readonly<Record<string, string>> | null {
  const headers: Record<string, string> = {}
  for (const text of flags.texts('header')) {
    const at = text.indexOf('=')
    const name = text.slice(0, Math.max(at, 0)).trim().toLowerCase()
    const value = text.slice(at + 1).trim()
    if (at < 1) flags.problems.push('--header must be NAME=VALUE')
    else if (Object.hasOwn(headers, name)) flags.problems.push(`--header ${name} is given twice`)
    else {
      const refusal = refuseEndpointHeader(name, value)
      if (refusal !== null) flags.problems.push(`--header: ${refusal}`)
      headers[name] = value
    }
  }
  return Object.keys(headers).length === 0 ? null : headers
}

function readSecret(flags: Flags): string | null {
  const text = readText(flags, 'secret')
  if (text === null) return null
  const parsed = parseSecret(text)
  if (parsed.kind === 'refused') flags.problems.push(`--secret: ${parsed.reason}`)
  return text
}
