/** `endpoints test`: sends one signed event now, to see if the recipient accepts it. */

import { randomUUID } from 'node:crypto'
import { JSON_OPTION } from '../../../engine/cli/options.js'
import { cutTo, formatCount, printable } from '../../../engine/cli/terminal-text.js'
import type { PostResult } from '../../../engine/egress/result.js'
import { openEndpoint } from '../delivery/endpoint.js'
import { webhookIdOf } from '../delivery/envelope.js'
import { signedPost } from '../delivery/signed-post.js'
import type { DueDelivery } from '../delivery/store/deliveries.js'
import { attemptOf } from '../delivery/verdict.js'
import type { AdminCommand } from './context.js'
import { noEndpoint, readEndpointId } from './endpoint-id.js'

const EVENT_TYPE = 'endpoint-test'
const SHOWN_COLUMNS = 200

export const testEndpoint: AdminCommand = {
  name: 'test',
  summary:
    'Sends one signed test event to an endpoint now, disabled or not, and prints the answer; ' +
    'records nothing',
  operands: { text: 'ID', max: 1 },
  options: JSON_OPTION,
  notes:
    `The event has the type ${EVENT_TYPE}, an id that begins with test-, and {"test":true} as ` +
    'its data. It is sent from this machine.',
  examples: ['endpoints test 4'],
  prepare: flags => {
    const id = readEndpointId(flags)
    return async context => {
      const sealed = await context.endpoints.findSealed(id)
      if (sealed === null) return noEndpoint(id, context)
      const egress = context.egress()
      const endpoint = openEndpoint(sealed, egress.keys)
      const nowMs = context.clock.epochMs()
      const event: DueDelivery = {
        id: '0',
        attempts: 0,
        scheduled: 0,
        messageId: `test-${randomUUID()}`,
        eventType: EVENT_TYPE,
        payload: '{"test":true}',
        receivedAtMs: nowMs
      }
      const result = await egress.post(signedPost(endpoint, event, nowMs))
      const isTaken = attemptOf(result)?.duty.kind === 'done'
      if (flags.isOn('json')) {
        const webhookId = webhookIdOf(id, endpoint.client, event.messageId)
        await context.output.json({ id, webhookId, isTaken, ...result })
      } else await context.output.write(`${printable(tell(result))}\n`)
      return isTaken ? 0 : 1
    }
  }
}

function tell(result: PostResult): string {
  const after = `after ${formatCount(Math.round(result.ms))} ms`
  if (result.kind === 'failed') return `no answer ${after}: ${result.errorClass} (${result.detail})`
  const { status, responseHead } = result
  return `status ${status} ${after}${responseHead === '' ? '' : `: ${cutTo(responseHead, SHOWN_COLUMNS)}`}`
}
