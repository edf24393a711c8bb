/**
 * `deliveries backfill`: stored events that an endpoint has missed, because it came later
 * or was disabled.
 */

import type { Command, Work } from '../../../engine/cli/command.js'
import type { Flags } from '../../../engine/cli/flags.js'
import { formatCount, printable } from '../../../engine/cli/terminal-text.js'
import { unknownName } from '../../../engine/cli/unknown-name.js'
import type { EventPlace } from '../delivery/store/delivery-records.js'
import { noEndpoint, readEndpointOption } from './endpoint-id.js'
import { moveDeliveries } from './move-deliveries.js'
import { JSON_OPTION, MOMENT, readLimit, readMoment, readRate, readText } from './options.js'

export const backfill: Command = {
  name: 'backfill',
  summary: 'Makes deliveries of stored events that have none for an endpoint',
  options: {
    endpoint: { value: 'ID', text: 'the endpoint that is to get them' },
    since: { value: 'WHEN', text: `events stored then or later: ${MOMENT}` },
    until: { value: 'WHEN', text: 'and before then' },
    'event-type': {
      value: 'NAME',
      text: 'only events of this type; absent: all that the endpoint takes'
    },
    limit: { value: 'N', text: 'at most so many' },
    rate: { value: 'N/s', text: 'at most so many per second' },
    'dry-run': { value: null, text: 'count what would be made, and make nothing' },
    ...JSON_OPTION
  },
  notes:
    'For an endpoint that is new, or that was disabled. They are made in the order in which the events were stored, behind those that the\n' +
    'endpoint has already. An event has one delivery per endpoint: a second run makes none again, and may begin where the first one ended.\n' +
    'Dead ones are not made anew: deliveries redrive.',
  examples: [
    'deliveries backfill --endpoint 4 --since 7d --dry-run',
    'deliveries backfill --endpoint 4 --since 2026-01-31T08:05 --until 2026-01-31T12:00 --rate 200/s'
  ],
  prepare
}

function prepare(flags: Flags, nowMs: number): Work {
  const endpointId = readEndpointOption(flags)
  if (endpointId === null) flags.problems.push('--endpoint ID is missing: endpoints ls shows them')
  const since = readMoment(flags, 'since', nowMs)
  if (since === null && !flags.isOn('since')) flags.problems.push('--since WHEN is missing')
  const until = readMoment(flags, 'until', nowMs)
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
          `Endpoint ${endpoint.id} is disabled: endpoints enable ${endpoint.id} comes before`
        )
    }
    return isInterrupted || isDisabled ? 1 : 0
  }
}
