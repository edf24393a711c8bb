/** `deliveries`: lists, shows, redrives and backfills deliveries to endpoints. */

import type { Options } from '../../../engine/cli/command.js'
import type { Flags } from '../../../engine/cli/flags.js'
import {
  assertScope,
  JSON_OPTION,
  readChoice,
  readLimit,
  readRate,
  readText,
  readTime,
  TIME_ARGUMENT
} from '../../../engine/cli/options.js'
import { formatCount } from '../../../engine/cli/terminal-text.js'
import {
  DEAD_REASONS,
  DELIVERY_STATES,
  type DeliveryFilter,
  type DeliveryPlace
} from '../delivery/store/delivery-records.js'
import { backfill } from './backfill-deliveries.js'
import type { AdminCommand, AdminGroup, AdminWork } from './context.js'
import { deliveryJson, formatDeliveries, formatDeliveryRecord } from './delivery-view.js'
import { readEndpointOption } from './endpoint-id.js'
import { moveDeliveries } from './move-deliveries.js'

const DEFAULT_LIMIT = 50
const DRY_RUN_ROWS = 20
const IDS = { text: '[ID ...]', max: 1_000 }
const EVERY: DeliveryFilter = {
  ids: null,
  client: null,
  endpointId: null,
  eventType: null,
  state: null,
  reason: null,
  since: null
}

const FILTERS: Options = {
  client: { value: 'NAME', text: 'only those of this client' },
  endpoint: { value: 'ID', text: 'only those for this endpoint' },
  'event-type': { value: 'NAME', text: 'only those of events of this type' },
  reason: {
    value: 'REASON',
    text: `only dead ones given up for this reason: ${DEAD_REASONS.join(', ')}`
  },
  since: { value: 'WHEN', text: `only those made since then: ${TIME_ARGUMENT}` }
}

const ls: AdminCommand = {
  name: 'ls',
  summary: 'Lists deliveries, newest first, and counts the pending and the dead ones',
  options: {
    ...FILTERS,
    state: { value: 'STATE', text: `only those in this state: ${DELIVERY_STATES.join(', ')}` },
    limit: { value: 'N', text: `at most N rows (default ${DEFAULT_LIMIT})` },
    ...JSON_OPTION
  },
  examples: [
    'deliveries ls --state dead',
    'deliveries ls --endpoint 4 --state pending --limit 10',
    'deliveries ls --client client-1 --json'
  ],
  prepare: (flags, nowMs) => {
    const filter = readFilter(flags, nowMs)
    const limit = readLimit(flags) ?? DEFAULT_LIMIT
    return async ({ deliveries, output }) => {
      const [rows, counts] = await Promise.all([
        deliveries.list(filter, limit),
        deliveries.count(filter)
      ])
      if (flags.isOn('json')) await output.json({ deliveries: rows.map(deliveryJson), ...counts })
      else if (rows.length === 0) output.remark('No deliveries.')
      else {
        await output.write(formatDeliveries(rows, output.columns))
        const isCut = rows.length === limit ? ' (--limit N shows more)' : ''
        const [pending, dead] = [formatCount(counts.pending), formatCount(counts.dead)]
        const shown = `${formatCount(rows.length)} shown${isCut}`
        output.remark(`\n${shown}: pending ${pending}, dead ${dead}`)
      }
      return 0
    }
  }
}

const show: AdminCommand = {
  name: 'show',
  summary: 'Shows one delivery with every attempt at it',
  operands: { text: 'ID', max: 1 },
  options: JSON_OPTION,
  notes: 'trace shows all deliveries of one event.',
  examples: ['deliveries show 4711'],
  prepare: flags => {
    const [id = ''] = flags.operands
    if (id === '') flags.problems.push('ID is missing: deliveries ls shows them')
    checkIds(flags)
    return async ({ deliveries, output }) => {
      const [delivery] = await deliveries.list({ ...EVERY, ids: [id] }, 1)
      if (delivery === undefined) {
        output.remark(`No delivery has the id ${id}`)
        return 1
      }
      const attempts = await deliveries.attempts([id])
      if (flags.isOn('json'))
        await output.json({ ...deliveryJson(delivery), everyAttempt: attempts })
      else await output.write(formatDeliveryRecord(delivery, attempts, output.columns))
      return 0
    }
  }
}

const redrive: AdminCommand = {
  name: 'redrive',
  summary: 'Attempts dead deliveries again, with the whole schedule',
  operands: IDS,
  options: {
    ...FILTERS,
    all: { value: null, text: 'all of them; needed if there are no ids and no filters' },
    limit: { value: 'N', text: 'at most N' },
    rate: { value: 'N/s', text: 'at most N per second' },
    'dry-run': { value: null, text: 'show what would be attempted, and change nothing' },
    ...JSON_OPTION
  },
  notes:
    'The webhook-id stays the same, so recipients can recognise a repeat. Deliveries to disabled ' +
    'endpoints stay dead: run endpoints enable first, which also ends the pause of a failing ' +
    'endpoint. You may stop a run at any moment and start it again; deliveries that die again ' +
    'meanwhile are left to the next run.',
  examples: [
    'deliveries redrive --endpoint 4 --dry-run',
    'deliveries redrive --endpoint 4 --reason endpoint-disabled --rate 100/s',
    'deliveries redrive --client client-1 --since 2d',
    'deliveries redrive 4711 4712'
  ],
  prepare: prepareRedrive
}

export const deliveriesGroup: AdminGroup = {
  name: 'deliveries',
  summary: 'Deliveries to endpoints: look at, redrive, backfill',
  commands: [ls, show, redrive, backfill]
}

function prepareRedrive(flags: Flags, nowMs: number): AdminWork {
  assertScope(flags, FILTERS, 'deliveries to attempt again')
  const filter = readFilter(flags, nowMs)
  const limit = readLimit(flags)
  const ratePerSecond = readRate(flags)
  const isJson = flags.isOn('json')
  return async ({ deliveries, output, clock, signal }) => {
    const { movable, ofDisabled } = await deliveries.countRedrivable(filter)
    const known =
      flags.operands.length === 0 ? [] : await deliveries.list(filter, flags.operands.length)
    const missing = flags.operands.filter(id => !known.some(delivery => delivery.id === id))
    const tellLeft = (): void => {
      if (ofDisabled > 0)
        output.remark(
          `${formatCount(ofDisabled)} more stay dead, because their endpoints are disabled: run endpoints enable first`
        )
      for (const id of missing) output.remark(`No delivery has the id ${id}`)
    }
    if (flags.isOn('dry-run')) {
      const toMove = Math.min(movable, limit ?? movable)
      const rows =
        toMove === 0 ? [] : await deliveries.list({ ...filter, state: 'dead' }, DRY_RUN_ROWS)
      if (isJson)
        await output.json({
          isDryRun: true,
          toMove,
          ofDisabled,
          missing,
          deliveries: rows.map(deliveryJson)
        })
      else {
        if (rows.length > 0) await output.write(formatDeliveries(rows, output.columns))
        output.remark(
          `${rows.length > 0 ? '\n' : ''}${formatCount(toMove)} would be attempted again`
        )
        tellLeft()
      }
      return missing.length === 0 ? 0 : 1
    }
    const startedAt = await deliveries.now()
    const progress = output.progress(Math.min(movable, limit ?? movable))
    const { moved, isInterrupted } = await moveDeliveries<DeliveryPlace | null>({
      page: (after, maxRows) => deliveries.redrive({ filter, startedAt, after, maxRows }),
      start: null,
      limit,
      ratePerSecond,
      clock,
      signal,
      onMoved: count => progress.update(count)
    }).finally(() => progress.stop())
    const left = Math.max(0, movable - moved)
    if (isJson) await output.json({ moved, left, ofDisabled, missing, isInterrupted })
    else {
      output.remark(`${formatCount(moved)} due again, ${formatCount(left)} left`)
      if (isInterrupted) output.remark('Interrupted.')
      tellLeft()
    }
    return missing.length === 0 && !isInterrupted ? 0 : 1
  }
}

function readFilter(flags: Flags, nowMs: number): DeliveryFilter {
  checkIds(flags)
  return {
    ids: flags.operands.length === 0 ? null : flags.operands,
    client: readText(flags, 'client'),
    endpointId: readEndpointOption(flags),
    eventType: readText(flags, 'event-type'),
    state: readChoice(flags, 'state', DELIVERY_STATES),
    reason: readChoice(flags, 'reason', DEAD_REASONS),
    since: readTime(flags, 'since', nowMs)
  }
}

function checkIds(flags: Flags): void {
  for (const id of flags.operands) {
    if (!/^\d{1,18}$/.test(id))
      flags.problems.push(`ID must be a number, not ${JSON.stringify(id)}`)
  }
}
