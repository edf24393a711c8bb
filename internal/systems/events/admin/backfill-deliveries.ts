/**
 * `deliveries backfill`: makes deliveries for stored events that an endpoint has missed,
 * because it was added later or was disabled.
 */

import type { Flags } from '../../../engine/cli/flags.js'
import {
  JSON_OPTION,
  readLimit,
  readRate,
  readText,
  readTime,
  TIME_ARGUMENT
} from '../../../engine/cli/options.js'
import { formatCount, printable } from '../../../engine/cli/terminal-text.js'
import type { EventPlace } from '../delivery/store/delivery-records.js'
import type { AdminCommand, AdminWork } from './context.js'
import { noEndpoint, readEndpointOption } from './endpoint-id.js'
import { moveDeliveries } from './move-deliveries.js'
import { unknownName } from './unknown-name.js'

export const backfill: AdminCommand = {
  name: 'backfill',
  summary: 'Makes deliveries to an endpoint for stored events that have none',
  options: {
    endpoint: { value: 'ID', text: 'the endpoint to deliver to' },
    since: { value: 'WHEN', text: `events stored then or later: ${TIME_ARGUMENT}` },
    until: { value: 'WHEN', text: 'and stored before then' },
    'event-type': {
      value: 'NAME',
      text: 'only events of this type; default: all types that the endpoint takes'
    },
    limit: { value: 'N', text: 'at most N' },
    rate: { value: 'N/s', text: 'at most N per second' },
    'dry-run': { value: null, text: 'count what would be made, and make nothing' },
    ...JSON_OPTION
  },
  notes:
    'For an endpoint that is new or was disabled. Deliveries are made in the order in which the ' +
    'events were stored, behind those that the endpoint already has. An event has one delivery ' +
    'per endpoint, so a second run makes none twice and may start where the first one ended. ' +
    'Dead deliveries are not made again: use deliveries redrive.',
  examples: [
    'deliveries backfill --endpoint 4 --since 7d --dry-run',
    'deliveries backfill --endpoint 4 --since 2026-01-31T08:05 --until 2026-01-31T12:00 --rate 200/s'
  ],
  prepare
}

function prepare(flags: Flags, nowMs: number): AdminWork {
  const endpointId = readEndpointOption(flags)
  if (endpointId === null) flags.problems.push('--endpoint ID is missing: endpoints ls shows them')
  const since = readTime(flags, 'since', nowMs)
  if (since === null && !flags.isOn('since')) flags.problems.push('--since WHEN is missing')
  const until = readTime(flags, 'until', nowMs)
  if (since !== null && until !== null && until <= since)
    flags.problems.push('--until must be later than --since')
  const eventType = readText(flags, 'event-type')
  const limit = readLimit(flags)
  const ratePerSecond = readRate(flags)
  const isDryRun = flags.isOn('dry-run')
  return async context => {
    const { deliveries, endpoints, eventTypes, output, clock, signal } = context
    const endpoint = await endpoints.find(endpointId ?? 0)
    if (endpoint === null) return noEndpoint(endpointId ?? 0, context)
    if (eventType !== null && !(await eventTypes.list()).some(({ name }) => name === eventType)) {
      return unknownName('event type', eventType, eventTypes, context)
    }
    if (endpoint.eventTypes?.includes(eventType ?? '') === false && eventType !== null) {
      output.remark(
        printable(
          `Endpoint ${endpoint.id} takes no ${eventType}: it takes ${endpoint.eventTypes.join(', ')}`
        )
      )
      return 1
    }
    const from = since ?? new Date(0)
    const { moved, isInterrupted, isDisabled } = await moveDeliveries<EventPlace>({
      page: (after, maxRows) =>
        deliveries.backfill({
          endpointId: endpoint.id,
          eventType,
          since: from,
          until,
          after,
          maxRows,
          isMade: !isDryRun
        }),
      start: await deliveries.placeBefore(from),
      limit,
      ratePerSecond: isDryRun ? null : ratePerSecond,
      clock,
      signal,
      onMoved: () => undefined
    })
    if (flags.isOn('json'))
      await output.json(
        isDryRun
          ? { isDryRun, toMake: moved, isInterrupted, isDisabled }
          : { made: moved, isInterrupted, isDisabled }
      )
    else {
      output.remark(`${formatCount(moved)} ${isDryRun ? 'would be made' : 'made'}`)
      if (isInterrupted) output.remark('Interrupted.')
      if (isDisabled)
        output.remark(
          `Endpoint ${endpoint.id} is disabled: run endpoints enable ${endpoint.id} first`
        )
    }
    return isInterrupted || isDisabled ? 1 : 0
  }
}
