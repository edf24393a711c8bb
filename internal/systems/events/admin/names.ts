/** `clients` and `event-types`: which clients and event types are accepted. */

import type { Flags } from '../../../engine/cli/flags.js'
import { JSON_OPTION } from '../../../engine/cli/options.js'
import { formatFields, formatTable, type TableColumn } from '../../../engine/cli/table.js'
import {
  formatCount,
  formatPlural,
  formatTime,
  printable
} from '../../../engine/cli/terminal-text.js'
import { isStorable } from '../../../engine/message/storable.js'
import type { NameRecord, Names } from '../store/names.js'
import { ALL_REJECTIONS, type EventRejectionFilter } from '../store/records.js'
import { describeQuota, setLimits } from './client-limits.js'
import type { AdminCommand, AdminContext, AdminGroup } from './context.js'
import { unknownName } from './unknown-name.js'

interface Kind {
  readonly group: 'clients' | 'event-types'
  readonly noun: string
  readonly summary: string
  readonly example: string
  readonly names: (context: AdminContext) => Names
  /** Selects the rejections whose body has the name. */
  readonly refusedFor: (name: string) => Partial<EventRejectionFilter>
  readonly columns: readonly TableColumn[]
  readonly cells: (record: NameRecord) => readonly string[]
  /** Commands that only this kind has. */
  readonly more: readonly AdminCommand[]
}

const MAX_CHARACTERS = 100
const MAX_OPERANDS = 1_000
const DAY_MS = 86_400_000

export const clientsGroup: AdminGroup = createGroup({
  group: 'clients',
  noun: 'client',
  summary: 'Clients whose events are accepted',
  example: 'client-4',
  names: context => context.clients,
  refusedFor: clientId => ({ clientId }),
  columns: [
    { title: 'client', keeps: 8 },
    { title: 'accepted' },
    { title: 'weight', isRight: true },
    { title: 'quota' },
    { title: 'own schemas', isRight: true },
    { title: 'readers', keeps: 8 }
  ],
  cells: record => [
    record.name,
    taken(record),
    String(record.limits?.weight ?? 1),
    record.limits === null ? 'none' : describeQuota(record.limits),
    String(record.activeSchemas),
    record.readers.join(', ') || '-'
  ],
  more: [setLimits]
})

export const eventTypesGroup: AdminGroup = createGroup({
  group: 'event-types',
  noun: 'event type',
  summary: 'Event types that are accepted',
  example: 'order-app',
  names: context => context.eventTypes,
  refusedFor: eventType => ({ eventType }),
  columns: [
    { title: 'event type', keeps: 8 },
    { title: 'accepted' },
    { title: 'schemas', isRight: true }
  ],
  cells: record => [record.name, taken(record), String(record.activeSchemas)],
  more: []
})

const taken = ({ disabledAt }: NameRecord): string =>
  disabledAt === null ? 'yes' : `no, disabled ${formatTime(disabledAt)} UTC`

function createGroup(kind: Kind): AdminGroup {
  const { group, summary, more } = kind
  return {
    name: group,
    summary,
    commands: [add(kind), ls(kind), show(kind), ...more, disable(kind), enable(kind)]
  }
}

function add({ group, noun, example, names }: Kind): AdminCommand {
  return {
    name: 'add',
    summary: `Adds a ${noun}; its events are accepted at once`,
    operands: { text: 'NAME ...', max: MAX_OPERANDS },
    options: JSON_OPTION,
    notes:
      `An existing ${noun} stays as it is. A name cannot be changed or removed later, because ` +
      'stored events refer to it.',
    examples: [`${group} add ${example}`],
    prepare: flags => {
      requireNames(flags)
      for (const name of flags.operands) checkName(flags, name)
      return async context => {
        const outcomes: { name: string; outcome: Awaited<ReturnType<Names['add']>> }[] = []
        for (const name of new Set(flags.operands))
          outcomes.push({ name, outcome: await names(context).add(name) })
        if (flags.isOn('json')) await context.output.json({ [keyOf(group)]: outcomes })
        else
          for (const { name, outcome } of outcomes)
            await context.output.write(`${printable(tellAdded(group, noun, name, outcome))}\n`)
        return outcomes.some(({ outcome }) => outcome === 'disabled') ? 1 : 0
      }
    }
  }
}

function tellAdded(
  group: string,
  noun: string,
  name: string,
  outcome: 'added' | 'exists' | 'disabled'
): string {
  if (outcome === 'added') return `${name} added`
  if (outcome === 'exists') return `${name} is a ${noun} already`
  return `${name} is a disabled ${noun}: ${group} enable accepts its events again`
}

function ls({ group, noun, names, columns, cells }: Kind): AdminCommand {
  return {
    name: 'ls',
    summary: `Lists every ${noun}, with the number of its active schemas`,
    options: JSON_OPTION,
    examples: [`${group} ls`, `${group} ls --json`],
    prepare: flags => async context => {
      const records = await names(context).list()
      if (flags.isOn('json')) await context.output.json({ [keyOf(group)]: records })
      else if (records.length === 0) context.output.remark(`No ${noun}s.`)
      else {
        await context.output.write(formatTable(columns, records.map(cells), context.output.columns))
        context.output.remark(`\n${formatPlural(records.length, noun)}`)
      }
      return 0
    }
  }
}

function show({ group, noun, example, names, refusedFor, columns, cells }: Kind): AdminCommand {
  return {
    name: 'show',
    summary: `Shows one ${noun} and counts its rejections of the last 24 hours`,
    operands: { text: 'NAME', max: 1 },
    options: JSON_OPTION,
    examples: [`${group} show ${example}`],
    prepare: flags => {
      requireNames(flags)
      const [name = ''] = flags.operands
      return async context => {
        const records = await names(context).list()
        const record = records.find(candidate => candidate.name === name)
        if (record === undefined) return unknownName(noun, name, names(context), context)
        const since = new Date(context.clock.epochMs() - DAY_MS)
        const refused = await context.records.countRejections({
          ...ALL_REJECTIONS,
          ...refusedFor(name),
          since
        })
        if (flags.isOn('json'))
          await context.output.json({ ...record, refusedInLastDay: Object.fromEntries(refused) })
        else {
          const counts = [...refused].map(([reason, count]) => `${reason} ${formatCount(count)}`)
          const fields = columns.map(({ title }, at) => [title, cells(record)[at] ?? ''] as const)
          await context.output.write(
            formatFields([
              ...fields,
              ['refused in the last 24 hours', counts.join(', ') || 'nothing']
            ])
          )
        }
        return 0
      }
    }
  }
}

function disable({ group, noun, example, names }: Kind): AdminCommand {
  const refusal = group === 'clients' ? 'unknown-client' : 'unknown-event-type'
  return {
    name: 'disable',
    summary: `Refuses the events of a ${noun} from now on`,
    operands: { text: 'NAME', max: 1 },
    options: JSON_OPTION,
    notes:
      `Its events become rejections (${refusal}) that say that it is disabled. They keep their ` +
      'bodies: after enable, rejections redrive sends them again. Stored events stay. A batch ' +
      'being written may still store a few.',
    examples: [`${group} disable ${example}`],
    prepare: flags => prepareChange(flags, noun, names, 'disable', 'disabled')
  }
}

function enable({ group, noun, example, names }: Kind): AdminCommand {
  return {
    name: 'enable',
    summary: `Accepts the events of a disabled ${noun} again`,
    operands: { text: 'NAME', max: 1 },
    options: JSON_OPTION,
    examples: [`${group} enable ${example}`],
    prepare: flags => prepareChange(flags, noun, names, 'enable', 'enabled')
  }
}

function prepareChange(
  flags: Flags,
  noun: string,
  names: Kind['names'],
  verb: 'disable' | 'enable',
  done: string
): ReturnType<AdminCommand['prepare']> {
  requireNames(flags)
  const [name = ''] = flags.operands
  return async context => {
    const change = await names(context)[verb](name)
    if (change === 'missing') return unknownName(noun, name, names(context), context)
    if (flags.isOn('json')) await context.output.json({ name, isChanged: change === 'changed' })
    else
      await context.output.write(
        `${printable(name)} ${change === 'changed' ? done : `was ${done} already`}\n`
      )
    return 0
  }
}

function requireNames(flags: Flags): void {
  if (flags.operands.length === 0) flags.problems.push('NAME is missing')
}

/**
 * Accepts what the event contract accepts, except whitespace at either end: the contract
 * allows it, but nobody means it.
 */
function checkName(flags: Flags, name: string): void {
  const shown = JSON.stringify(name)
  if (name === '') flags.problems.push('NAME is empty')
  else if (Array.from(name).length > MAX_CHARACTERS)
    flags.problems.push(`${shown} has more than ${MAX_CHARACTERS} characters`)
  else if (!isStorable(name))
    flags.problems.push(
      `${shown} contains U+0000 or half a surrogate pair, which no event can contain`
    )
  else if (name.trim() !== name) flags.problems.push(`${shown} begins or ends with whitespace`)
}

const keyOf = (group: Kind['group']): string => (group === 'clients' ? 'clients' : 'eventTypes')
