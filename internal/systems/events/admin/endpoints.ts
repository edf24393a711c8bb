/** `endpoints`: where clients' events are delivered. */

import { didYouMean } from '../../../engine/cli/nearest.js'
import { JSON_OPTION, readText } from '../../../engine/cli/options.js'
import { formatPlural, formatTime } from '../../../engine/cli/terminal-text.js'
import { parseSpan } from '../../../engine/cli/time-argument.js'
import { newSecret } from '../delivery/secret.js'
import { ENDPOINT_STATES, type EndpointState } from '../delivery/store/deliveries.js'
import type { EndpointRecord } from '../delivery/store/endpoints.js'
import type { AdminCommand, AdminContext, AdminGroup } from './context.js'
import { addEndpoint, sealFor, tellSecret } from './endpoint-add.js'
import { noEndpoint, readEndpointId } from './endpoint-id.js'
import { reseal } from './endpoint-reseal.js'
import { testEndpoint } from './endpoint-test.js'
import { formatEndpoint, formatEndpoints } from './endpoint-view.js'

const ENDPOINT_ID = { text: 'ID', max: 1 }
const LAST_ATTEMPTS = 10
/**
 * Events stored shortly before an endpoint was disabled may have no deliveries either:
 * the sender may not have reached them yet.
 */
const SENDER_BEHIND_MS = 3_600_000
const DEFAULT_GRACE = '24h'
const MAX_GRACE_MS = 30 * 86_400_000

const ls: AdminCommand = {
  name: 'ls',
  summary: 'Lists endpoints with their pending and dead deliveries',
  options: {
    client: { value: 'NAME', text: 'only those of this client' },
    state: { value: 'STATE', text: `only those in this state: ${ENDPOINT_STATES.join(', ')}` },
    ...JSON_OPTION
  },
  examples: [
    'endpoints ls',
    'endpoints ls --client client-1',
    'endpoints ls --state disabled-by-failure --json'
  ],
  prepare: flags => {
    const client = readText(flags, 'client')
    const text = readText(flags, 'state')
    const state: EndpointState | null = ENDPOINT_STATES.find(known => known === text) ?? null
    if (text !== null && state === null) {
      const states = ENDPOINT_STATES.join(', ')
      flags.problems.push(
        `--state ${JSON.stringify(text)} is not a state${didYouMean(text, ENDPOINT_STATES)} (there are ${states})`
      )
    }
    return async ({ endpoints, output }) => {
      const found = await endpoints.list({ client, state })
      if (flags.isOn('json')) await output.json({ endpoints: found })
      else if (found.length === 0) output.remark('No endpoints.')
      else {
        await output.write(formatEndpoints(found, output.columns))
        output.remark(`\n${formatPlural(found.length, 'endpoint')}`)
      }
      return 0
    }
  }
}

const show: AdminCommand = {
  name: 'show',
  summary: 'Shows one endpoint with its state and last attempts, but no secrets',
  operands: ENDPOINT_ID,
  options: JSON_OPTION,
  examples: ['endpoints show 4'],
  prepare: flags => {
    const id = readEndpointId(flags)
    return async context => {
      const endpoint = await context.endpoints.find(id)
      if (endpoint === null) return noEndpoint(id, context)
      const attempts = await context.deliveries.lastAttempts(id, LAST_ATTEMPTS)
      if (flags.isOn('json')) await context.output.json({ ...endpoint, lastAttempts: attempts })
      else await context.output.write(formatEndpoint(endpoint, attempts, context.output.columns))
      return 0
    }
  }
}

const enable: AdminCommand = {
  name: 'enable',
  summary:
    'Delivers what is stored from now on to a disabled endpoint; ends the pause of a failing one',
  operands: ENDPOINT_ID,
  options: JSON_OPTION,
  notes:
    'Prints two commands for what the endpoint has missed: one redrives the deliveries that ' +
    'were given up, the other makes those that were never made.',
  examples: ['endpoints enable 4'],
  prepare: flags => {
    const id = readEndpointId(flags)
    return async context => {
      const before = await context.endpoints.find(id)
      const change = before === null ? 'missing' : await context.endpoints.enable(id)
      if (before === null || change === 'missing') return noEndpoint(id, context)
      const { output } = context
      if (flags.isOn('json'))
        await output.json({ id, isChanged: change === 'changed', disabledAt: before.disabledAt })
      else if (change === 'unchanged') await output.write(`Endpoint ${id} was enabled already\n`)
      else {
        await output.write(
          `Endpoint ${id} ${before.state === 'enabled' ? 'was enabled already; its pause is over' : 'enabled'}\n`
        )
        tellMissed(before, context)
      }
      return 0
    }
  }
}

const disable: AdminCommand = {
  name: 'disable',
  summary: 'Stops deliveries to an endpoint and gives up the pending ones',
  operands: ENDPOINT_ID,
  options: {
    reason: { value: 'TEXT', text: 'why it is disabled; endpoints show prints it' },
    ...JSON_OPTION
  },
  notes:
    'The sender gives up the pending deliveries (endpoint-disabled), some thousands per second; ' +
    'attempts under way finish. Events stored while the endpoint is disabled make no ' +
    'deliveries. Nothing is lost: deliveries redrive and deliveries backfill bring both back.',
  examples: ['endpoints disable 4 --reason ticket-812'],
  prepare: flags => {
    const id = readEndpointId(flags)
    const reason = readText(flags, 'reason')
    return async context => {
      const change = await context.endpoints.disable(id, reason)
      if (change === 'missing') return noEndpoint(id, context)
      const { output } = context
      const pending = (await context.endpoints.find(id))?.pending ?? 0
      if (flags.isOn('json')) await output.json({ id, isChanged: change === 'changed', pending })
      else {
        await output.write(
          `Endpoint ${id} ${change === 'changed' ? 'disabled' : 'was disabled already'}\n`
        )
        if (pending > 0)
          output.remark(
            `The sender will give up its ${formatPlural(pending, 'pending delivery', 'pending deliveries')}.`
          )
      }
      return 0
    }
  }
}

const rotateSecret: AdminCommand = {
  name: 'rotate-secret',
  summary: 'Gives an endpoint a new secret; the old one also signs during its grace period',
  operands: ENDPOINT_ID,
  options: {
    grace: {
      value: 'SPAN',
      text:
        'how long older secrets also sign, such as 90s, 24h, 7d ' +
        `(default ${DEFAULT_GRACE}); 0s ends them at once`
    },
    ...JSON_OPTION
  },
  notes:
    'During the grace period each delivery has a signature of every secret, and a recipient that ' +
    'knows any of them accepts it. At most two older secrets stay valid: a third ends at once.',
  examples: ['endpoints rotate-secret 4', 'endpoints rotate-secret 4 --grace 0s'],
  prepare: flags => {
    const id = readEndpointId(flags)
    const text = readText(flags, 'grace') ?? DEFAULT_GRACE
    const graceMs = parseSpan(text) ?? -1
    if (graceMs < 0 || graceMs > MAX_GRACE_MS) {
      flags.problems.push(
        `--grace must be a span of at most 30 days such as 90s, 30m, 24h, 7d, not ${JSON.stringify(text)}`
      )
    }
    return async context => {
      const secret = newSecret()
      const rotated = await context.endpoints.rotateSecret(
        id,
        sealFor(context.egress(), secret, null),
        graceMs
      )
      if (rotated === null) return noEndpoint(id, context)
      const { before, ended } = rotated
      const { output } = context
      if (flags.isOn('json'))
        await output.json({ id, client: rotated.client, secret, secretsBeforeEnd: before, ended })
      else {
        await output.write(`Endpoint ${id} has a new secret\n${tellSecret(secret)}`)
        for (const end of before)
          output.remark(`An older secret signs until ${formatTime(end)} UTC.`)
        if (ended > 0) output.remark(`${formatPlural(ended, 'older secret')} ended now.`)
      }
      return 0
    }
  }
}

export const endpointsGroup: AdminGroup = {
  name: 'endpoints',
  summary: 'Where clients’ events are delivered: URLs, secrets, state',
  commands: [addEndpoint, ls, show, enable, disable, rotateSecret, reseal, testEndpoint]
}

/** Says how to deliver what a disabled endpoint has missed. */
function tellMissed(
  { id, dead, pending, disabledAt, createdAt }: EndpointRecord,
  { output }: AdminContext
): void {
  if (disabledAt === null) return
  if (pending > 0)
    output.remark(
      `${formatPlural(pending, 'delivery', 'deliveries')} not yet given up will be attempted.`
    )
  if (dead > 0)
    output.remark(
      `What was given up: deliveries redrive --endpoint ${id} --reason endpoint-disabled`
    )
  const since = new Date(Math.max(createdAt.getTime(), disabledAt.getTime() - SENDER_BEHIND_MS))
  output.remark(
    `What was stored meanwhile: deliveries backfill --endpoint ${id} --since ${since.toISOString()}`
  )
}
