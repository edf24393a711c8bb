/** `schemas`: versions of payload schemas, from shadow to active to retired. */

import type { ExitCode } from '../../../engine/cli/command.js'
import type { Flags } from '../../../engine/cli/flags.js'
import { JSON_OPTION, readChoice, readText } from '../../../engine/cli/options.js'
import { formatFields, formatTable, type TableColumn } from '../../../engine/cli/table.js'
import { formatPlural, formatTime, printable } from '../../../engine/cli/terminal-text.js'
import type { SchemaRefusal, SchemaState, SchemaVersion } from '../store/schema-registry.js'
import type { AdminCommand, AdminContext, AdminGroup } from './context.js'
import { readSchemaFile } from './schema-file.js'
import { testCommand } from './schema-test.js'
import { unknownName } from './unknown-name.js'

const COLUMNS: readonly TableColumn[] = [
  { title: 'id', isRight: true },
  { title: 'event type', keeps: 8 },
  { title: 'client', keeps: 8 },
  { title: 'version', isRight: true },
  { title: 'state' },
  { title: 'added (UTC)' },
  { title: 'activated (UTC)' },
  { title: 'by', keeps: 8 }
]
const STATES: readonly SchemaState[] = ['shadow', 'active', 'retired']
const PLACE = {
  'event-type': { value: 'NAME', text: 'the event type whose payloads it judges' },
  client: {
    value: 'NAME',
    text: 'the client that it is for; default: every client without a schema of its own'
  }
}

const add: AdminCommand = {
  name: 'add',
  summary: 'Registers a schema as the next version, in shadow: it only counts what it would refuse',
  operands: { text: 'FILE', max: 1 },
  options: { ...PLACE, ...JSON_OPTION },
  notes:
    'FILE holds a JSON Schema, 2020-12 or (by its $schema) draft-07, without references to ' +
    'other documents.',
  examples: [
    'schemas add order.json --event-type order-app',
    'schemas add order.json --event-type order-app --client client-4'
  ],
  prepare: flags => {
    const [file = ''] = flags.operands
    if (file === '') flags.problems.push('FILE is missing')
    const eventType = requireEventType(flags)
    const clientId = readText(flags, 'client')
    return async context => {
      const outcome = await context.schemas.add(eventType, clientId, await readSchemaFile(file))
      if (outcome.kind === 'unknown-event-type')
        return unknownName('event type', eventType, context.eventTypes, context)
      if (outcome.kind === 'unknown-client')
        return unknownName('client', clientId ?? '', context.clients, context)
      if (outcome.kind === 'refused') return refused(outcome, flags, context)
      const { version } = outcome
      if (flags.isOn('json')) await context.output.json({ outcome: outcome.kind, schema: version })
      else if (outcome.kind === 'exists')
        await context.output.write(
          `The same schema already exists: ${describe(version)}, ${version.state}\n`
        )
      else
        await context.output.write(
          `Added ${describe(version)}, in shadow. schemas activate ${version.id} puts it in force.\n`
        )
      return 0
    }
  }
}

const ls: AdminCommand = {
  name: 'ls',
  summary: 'Lists versions by event type and client',
  options: {
    'event-type': { value: 'NAME', text: 'only those for this event type' },
    client: { value: 'NAME', text: 'only those for this client' },
    state: { value: 'STATE', text: `only those in this state: ${STATES.join(', ')}` },
    ...JSON_OPTION
  },
  examples: ['schemas ls', 'schemas ls --event-type order-app --state active --json'],
  prepare: flags => {
    const eventType = readText(flags, 'event-type')
    const clientId = readText(flags, 'client')
    const state = readChoice(flags, 'state', STATES)
    return async ({ schemas, output }) => {
      const versions = await schemas.list({
        ...(eventType === null ? {} : { eventType }),
        ...(clientId === null ? {} : { clientId }),
        ...(state === null ? {} : { state })
      })
      if (flags.isOn('json')) await output.json({ schemas: versions })
      else if (versions.length === 0) output.remark('No schemas.')
      else {
        await output.write(formatTable(COLUMNS, versions.map(cells), output.columns))
        output.remark(`\n${formatPlural(versions.length, 'version')}`)
      }
      return 0
    }
  }
}

const show: AdminCommand = {
  name: 'show',
  summary: 'Shows one version with its text',
  operands: { text: 'ID', max: 1 },
  options: JSON_OPTION,
  examples: ['schemas show 4'],
  prepare: flags => {
    const id = readId(flags)
    return async context => {
      const version = await context.schemas.show(id)
      if (version === null) return notFound(id, context)
      if (flags.isOn('json'))
        await context.output.json({
          ...version,
          schema: JSON.parse(version.text) as unknown,
          text: undefined
        })
      else {
        const values = cells(version)
        const fields = formatFields([
          ...COLUMNS.map(({ title }, at) => [title, values[at] ?? ''] as const),
          ['retired (UTC)', formatTime(version.retiredAt) || '-'],
          ['hash', version.hash]
        ])
        const text = JSON.stringify(JSON.parse(version.text), null, 2)
        await context.output.write(`${fields}${text}\n`)
      }
      return 0
    }
  }
}

const activate: AdminCommand = {
  name: 'activate',
  summary: 'Activates a shadow version and retires the active one',
  operands: { text: 'ID', max: 1 },
  options: JSON_OPTION,
  notes:
    'Every worker judges by it within a second. Run schemas test first: it shows what the ' +
    'version would have done to real events. If somebody else activates another version at ' +
    'the same time, one of you wins; the other command fails and changes nothing.',
  examples: ['schemas activate 4'],
  prepare: flags => {
    const id = readId(flags)
    return async context => {
      const outcome = await context.schemas.activate(id)
      switch (outcome.kind) {
        case 'not-found':
          return notFound(id, context)
        case 'refused':
          return refused(outcome, flags, context)
        case 'wrong-state':
          context.output.remark(
            `${describe(outcome.version)} is ${outcome.version.state}: only a version in shadow can be activated`
          )
          return 1
        case 'overtaken': {
          const { active } = outcome
          const now =
            active === null
              ? 'none is active now'
              : `${describe(active)} is active now, by ${active.activatedBy ?? '-'}`
          context.output.remark(
            printable(`Somebody else was faster, and nothing was changed: ${now}`)
          )
          return 1
        }
        case 'activated': {
          const { version, retired } = outcome
          if (flags.isOn('json')) await context.output.json({ schema: version, retired })
          else
            await context.output.write(
              `${describe(version)} is active${retired === null ? '' : `, version ${retired.version} is retired`}\n`
            )
          return 0
        }
      }
    }
  }
}

const retire: AdminCommand = {
  name: 'retire',
  summary: 'Retires a version for good',
  operands: { text: 'ID', max: 1 },
  options: JSON_OPTION,
  notes: 'Its events are then judged by the schema for every client, or by none.',
  examples: ['schemas retire 4'],
  prepare: flags => {
    const id = readId(flags)
    return async context => {
      const outcome = await context.schemas.retire(id)
      if (outcome.kind === 'not-found') return notFound(id, context)
      if (outcome.kind === 'wrong-state') {
        context.output.remark(`${describe(outcome.version)} is retired already`)
        return 1
      }
      if (flags.isOn('json')) await context.output.json({ schema: outcome.version })
      else await context.output.write(`${describe(outcome.version)} is retired\n`)
      return 0
    }
  }
}

export const schemasGroup: AdminGroup = {
  name: 'schemas',
  summary: 'Payload schemas: their versions, and which of them are in force',
  commands: [add, ls, show, activate, retire, testCommand]
}

const cells = (version: SchemaVersion): readonly string[] => [
  String(version.id),
  version.eventType,
  version.clientId ?? '(every)',
  String(version.version),
  version.state,
  formatTime(version.createdAt),
  formatTime(version.activatedAt) || '-',
  version.activatedBy ?? '-'
]

const describe = ({ id, eventType, clientId, version }: SchemaVersion): string =>
  printable(`version ${version} for ${eventType} of ${clientId ?? 'every client'} (id ${id})`)

async function refused(
  { pointer, message }: SchemaRefusal,
  flags: Flags,
  { output }: AdminContext
): Promise<ExitCode> {
  if (flags.isOn('json')) await output.json({ outcome: 'refused', pointer, message })
  output.remark(
    printable(
      `The schema is refused${pointer === '' ? '' : ` at ${pointer}`}: ${message}. Nothing has changed.`
    )
  )
  return 1
}

function notFound(id: number, { output }: AdminContext): ExitCode {
  output.remark(`No schema has the id ${id}: schemas ls shows them`)
  return 1
}

function requireEventType(flags: Flags): string {
  const eventType = readText(flags, 'event-type')
  if (eventType === null) flags.problems.push('--event-type NAME is missing')
  return eventType ?? ''
}

function readId(flags: Flags): number {
  const [text = ''] = flags.operands
  if (text === '') flags.problems.push('ID is missing: schemas ls shows them')
  else if (!/^\d{1,9}$/.test(text))
    flags.problems.push(`ID must be a number, not ${JSON.stringify(text)}`)
  return Number(text)
}
