/** `schemas test`: shows what a version would have done to real events; read-only. */

import type { ExitCode } from '../../../engine/cli/command.js'
import type { Flags } from '../../../engine/cli/flags.js'
import { JSON_OPTION, readLimit, readText, readTime } from '../../../engine/cli/options.js'
import { formatTable, type TableColumn } from '../../../engine/cli/table.js'
import {
  formatCount,
  formatPlural,
  formatTime,
  printable
} from '../../../engine/cli/terminal-text.js'
import {
  createObjections,
  formatObjections,
  type Objection
} from '../../../engine/rejections/objections.js'
import { admitSchema } from '../schemas/admission.js'
import { ALL_REJECTIONS } from '../store/records.js'
import type { AdminCommand, AdminContext } from './context.js'
import { readSchemaFile } from './schema-file.js'
import { type Candidate, createWouldAccept, type WouldAccept } from './would-accept.js'

type Against = 'rejected' | 'stored'

interface Subject {
  readonly file: string | null
  readonly id: number | null
  readonly eventType: string | null
  readonly clientId: string | null
}

/** An event and what the version says about it. */
interface Seen {
  readonly receivedAt: Date
  readonly clientId: string | null
  readonly id: string
  readonly objection: Objection | null
}

const DEFAULT_LIMIT = 10
const DEFAULT_SINCE = '1d'
const COLUMNS: readonly TableColumn[] = [
  { title: 'received (UTC)' },
  { title: 'client', keeps: 8 },
  { title: 'message id', keeps: 16 },
  { title: 'pointer', keeps: 8 },
  { title: 'what it would say', keeps: 24 }
]

export const testCommand: AdminCommand = {
  name: 'test',
  summary:
    'Shows what a version would have done to real events: which stored ones it would refuse, ' +
    'or which refused ones it would accept',
  operands: { text: '[FILE]', max: 1 },
  options: {
    id: { value: 'ID', text: 'a registered version, instead of FILE' },
    against: {
      value: 'WHICH',
      text: 'rejected: events refused by a schema; stored: stored events'
    },
    since: {
      value: 'WHEN',
      text: `only events received since then, such as 2h or 2026-01-31 (default ${DEFAULT_SINCE})`
    },
    'event-type': { value: 'NAME', text: 'the event type that FILE is for' },
    client: {
      value: 'NAME',
      text: 'the client that FILE is for; default: every client without a schema of its own'
    },
    limit: {
      value: 'N',
      text: `show at most N events whose fate would change (default ${DEFAULT_LIMIT})`
    },
    ...JSON_OPTION
  },
  notes:
    'Events are judged as if the version were active; all other versions stay as they are. ' +
    'All events are read in one snapshot.\n' +
    'Exit code 1 if it would refuse a stored event, so `schemas test … && schemas activate …` ' +
    'is safe.',
  examples: [
    'schemas test order.json --event-type order-app --against stored --since 7d',
    'schemas test --id 4 --against rejected --since 2h --json'
  ],
  prepare: (flags, nowMs) => {
    const subject = readSubject(flags)
    const against = readAgainst(flags)
    const since = readTime(flags, 'since', nowMs) ?? new Date(nowMs - DAY_MS)
    const limit = readLimit(flags) ?? DEFAULT_LIMIT
    const isJson = flags.isOn('json')
    return async context => {
      const candidate = await findCandidate(subject, context)
      if (candidate === null) return 1
      const wouldAccept = await createWouldAccept({ ...context, candidate })
      const events =
        against === 'stored'
          ? readStored(context, candidate, since, wouldAccept)
          : readRejected(context, candidate, since, wouldAccept)
      return report(events, { against, limit, isJson }, context)
    }
  }
}

const DAY_MS = 86_400_000

async function report(
  events: AsyncIterable<Seen>,
  {
    against,
    limit,
    isJson
  }: { readonly against: Against; readonly limit: number; readonly isJson: boolean },
  { output, signal }: AdminContext
): Promise<ExitCode> {
  const objections = createObjections()
  const changed: Seen[] = []
  let seen = 0
  for await (const event of events) {
    if (signal.aborted) break
    seen++
    if (event.objection !== null) objections.add(event.id, event.objection)
    const isChanged = (event.objection === null) === (against === 'rejected')
    if (isChanged && changed.length < limit) changed.push(event)
  }
  const refused = objections.count
  const changes = against === 'stored' ? refused : seen - refused
  if (isJson) {
    const examples = changed.map(({ receivedAt, clientId, id, objection }) => ({
      receivedAt,
      clientId,
      id,
      ...objection?.violation
    }))
    await output.json({
      against,
      events: seen,
      accepted: seen - refused,
      refused,
      changes,
      objections: objections.list(),
      examples,
      isInterrupted: signal.aborted
    })
  } else {
    if (changed.length > 0)
      await output.write(formatTable(COLUMNS, changed.map(cells), output.columns))
    const [what, fate] = against === 'stored' ? ['stored', 'refused'] : ['refused', 'accepted']
    const shown =
      changed.length > 0 && changed.length < changes
        ? `, ${formatCount(changed.length)} are shown (--limit N shows more)`
        : ''
    const counts = `${formatCount(changes)} of ${formatPlural(seen, `${what} event`)}`
    output.remark(`${changed.length > 0 ? '\n' : ''}${counts} would be ${fate}${shown}`)
    if (refused > 0) output.remark(`Refused by:\n${formatObjections(objections)}`)
    if (signal.aborted) output.remark('Interrupted: there are more.')
  }
  return signal.aborted || (against === 'stored' && refused > 0) ? 1 : 0
}

const cells = ({ receivedAt, clientId, id, objection }: Seen): readonly string[] => [
  formatTime(receivedAt),
  clientId ?? '-',
  id,
  objection?.violation.pointer ?? '-',
  objection === null ? 'accepted' : objection.violation.message
]

async function* readStored(
  { records }: AdminContext,
  { eventType, clientId }: Candidate,
  since: Date,
  wouldAccept: WouldAccept
): AsyncGenerator<Seen> {
  for await (const stored of records.readStored({ eventType, clientId, since })) {
    if (!wouldAccept.isByCandidate(stored.clientId, stored.eventType)) continue
    const objection = wouldAccept.objectionToPayload(
      stored.clientId,
      stored.eventType,
      stored.payload
    )
    yield {
      receivedAt: stored.receivedAt,
      clientId: stored.clientId,
      id: stored.messageId,
      objection
    }
  }
}

async function* readRejected(
  { records }: AdminContext,
  { eventType, clientId }: Candidate,
  since: Date,
  wouldAccept: WouldAccept
): AsyncGenerator<Seen> {
  const filter = {
    ...ALL_REJECTIONS,
    reason: 'schema-violation',
    eventType,
    clientId,
    since
  } as const
  for await (const rejection of records.readRejections(filter, null)) {
    if (!wouldAccept.isByCandidate(rejection.clientId, eventType)) continue
    const id = rejection.messageId ?? rejection.queueMessageId
    yield {
      receivedAt: rejection.receivedAt,
      clientId: rejection.clientId,
      id,
      objection: wouldAccept.objectionToBody(rejection.body)
    }
  }
}

/** Null: there is nothing to test with, and the reason has been printed. */
async function findCandidate(
  { file, id, eventType, clientId }: Subject,
  { schemas, output }: AdminContext
): Promise<Candidate | null> {
  let text: string
  let place = { eventType: eventType ?? '', clientId }
  if (file === null) {
    const version = await schemas.show(id ?? 0)
    if (version === null) {
      output.remark(`No schema has the id ${id}: schemas ls shows them`)
      return null
    }
    place = { eventType: version.eventType, clientId: version.clientId }
    text = version.text
  } else text = await readSchemaFile(file)
  const admission = admitSchema(text)
  if (admission.kind === 'refused') {
    const { pointer, message } = admission
    output.remark(
      printable(`The schema is refused${pointer === '' ? '' : ` at ${pointer}`}: ${message}`)
    )
    return null
  }
  return { ...place, schema: JSON.parse(text) as unknown }
}

function readSubject(flags: Flags): Subject {
  const [file = null] = flags.operands
  const text = readText(flags, 'id')
  const eventType = readText(flags, 'event-type')
  if ((file === null) === (text === null)) flags.problems.push('say which schema: FILE or --id ID')
  if (text !== null && !/^\d{1,9}$/.test(text))
    flags.problems.push(`--id must be a number, not ${JSON.stringify(text)}`)
  if (file !== null && eventType === null) flags.problems.push('--event-type NAME is missing')
  if (text !== null && (eventType !== null || flags.isOn('client')))
    flags.problems.push('--id already names the event type and the client')
  return {
    file,
    id: text === null ? null : Number(text),
    eventType,
    clientId: readText(flags, 'client')
  }
}

function readAgainst(flags: Flags): Against {
  const text = readText(flags, 'against')
  if (text === 'stored' || text === 'rejected') return text
  flags.problems.push(
    `--against must be rejected or stored${text === null ? '' : `, not ${JSON.stringify(text)}`}`
  )
  return 'stored'
}
