/** `rejections`: what was refused and why, and sending it again. */

import type { AdminContext, Command, CommandGroup, Work } from '../../../engine/cli/command.js'
import type { Flags } from '../../../engine/cli/flags.js'
import type { Output } from '../../../engine/cli/output.js'
import { formatCount } from '../../../engine/cli/terminal-text.js'
import { ALL_REJECTIONS, type Records, type RejectionFilter } from '../store/records.js'
import { exportRejections } from './export.js'
import { createObjections, formatObjections, type Objections } from './objections.js'
import {
  assertScope,
  JSON_OPTION,
  REDRIVE_OPTIONS,
  REJECTION_FILTERS,
  readLimit,
  readRate,
  readRejectionFilter,
  readText
} from './options.js'
import { redriveRejections } from './redrive-rejections.js'
import { isWhole, tellRedrive } from './redrive-report.js'
import { formatRejection, formatRejections, headJson, recordJson } from './rejection-view.js'
import { createJudge, type Judge } from './would-accept.js'

const DEFAULT_LIMIT = 50
const DRY_RUN_ROWS = 20
const OPEN_OPTION = { open: { value: null, text: 'only those that were not redriven yet' } }

const ls: Command = {
  name: 'ls',
  summary: 'Lists rejections, the newest first, and counts them by reason',
  options: {
    ...REJECTION_FILTERS,
    ...OPEN_OPTION,
    limit: { value: 'N', text: `at most so many rows (default ${DEFAULT_LIMIT})` },
    ...JSON_OPTION
  },
  examples: [
    'rejections ls',
    'rejections ls --client client-1 --reason schema-violation --since 2h',
    'rejections ls --open --json'
  ],
  prepare: (flags, nowMs) => {
    const filter = readRejectionFilter(flags, nowMs)
    const limit = readLimit(flags) ?? DEFAULT_LIMIT
    return async ({ records, output }) => {
      const [rows, counts] = await Promise.all([
        records.listRejections(filter, limit),
        records.countRejections(filter)
      ])
      const total = sum(counts.values())
      if (flags.isOn('json'))
        await output.json({
          rejections: rows.map(headJson),
          total,
          byReason: Object.fromEntries(counts)
        })
      else if (total === 0) output.remark('No rejections.')
      else {
        await output.write(formatRejections(rows, output.columns))
        const reasons = [...counts].map(([reason, count]) => `${reason} ${formatCount(count)}`)
        output.remark(
          `\n${formatCount(rows.length)} of ${formatCount(total)} shown${rows.length < total ? ' (--limit N shows more)' : ''}: ${reasons.join(', ')}`
        )
      }
      return 0
    }
  }
}

const show: Command = {
  name: 'show',
  summary: 'Shows everything that is known of one rejection, with its body',
  operands: { text: 'QUEUE_MESSAGE_ID', max: 1 },
  options: JSON_OPTION,
  examples: ['rejections show 0b6f2c1e-6f0e-4d3b-9f5c-2a9b6a0d7c11'],
  prepare: flags => {
    const id = flags.operands[0] ?? ''
    if (id === '') flags.problems.push('QUEUE_MESSAGE_ID is missing: rejections ls shows them')
    return async ({ records, output }) => {
      const rejection = await first(records.readRejections({ ...ALL_REJECTIONS, ids: [id] }, 1))
      if (rejection === null) {
        output.remark(
          `No rejection has the queue message id ${id}. trace --queue-message ${id} looks for everything else under it.`
        )
        return 1
      }
      if (flags.isOn('json')) await output.json(recordJson(rejection))
      else await output.write(formatRejection(rejection))
      return 0
    }
  }
}

const redrive: Command = {
  name: 'redrive',
  summary: 'Sends the original bodies to the queue again and marks the rows as redriven',
  operands: { text: '[QUEUE_MESSAGE_ID ...]', max: 1_000 },
  options: {
    ...REJECTION_FILTERS,
    ...REDRIVE_OPTIONS,
    again: { value: null, text: 'also those that were redriven before' },
    'schema-fixed': {
      value: null,
      text: 'look at each with the schemas, clients and event types of now, and send only what would be accepted'
    },
    ...JSON_OPTION
  },
  notes:
    'The oldest go first. A second run sends nothing that was sent before, and a run may be ended at any moment and begun anew: what is\n' +
    'sent twice all the same is found to be a duplicate, for a copy keeps the id of its event. A body that is refused again becomes\n' +
    'a new rejection, which this run leaves alone. Correct the cause first: add the client, activate another schema.\n' +
    '--schema-fixed looks at schema violations, or with --reason at unknown clients or event types; what is held back is not marked.',
  examples: [
    'rejections redrive --reason unknown-client --client client-4 --dry-run',
    'rejections redrive --reason unknown-client --client client-4 --rate 100/s',
    'rejections redrive --schema-fixed --event-type user-app --since 1d',
    'rejections redrive --since 1d --limit 1000',
    'rejections redrive 0b6f2c1e-6f0e-4d3b-9f5c-2a9b6a0d7c11 --again'
  ],
  prepare: prepareRedrive
}

const exporting: Command = {
  name: 'export',
  summary: 'Writes rejections with their bodies as JSON lines, the oldest first, however many',
  options: {
    ...REJECTION_FILTERS,
    ...OPEN_OPTION,
    limit: { value: 'N', text: 'at most so many' },
    out: { value: 'FILE', text: 'a new file to write to, instead of standard output' }
  },
  examples: [
    'rejections export --out rejections.ndjson',
    'rejections export --client client-1 --since 7d | jq -r .body'
  ],
  prepare: (flags, nowMs) => {
    const filter = readRejectionFilter(flags, nowMs)
    const limit = readLimit(flags)
    const file = readText(flags, 'out')
    return ({ records, output, signal }) =>
      exportRejections({
        rejections: records.readRejections(filter, limit),
        file,
        output,
        signal,
        toJson: recordJson
      })
  }
}

export const rejectionsGroup: CommandGroup = {
  name: 'rejections',
  summary: 'Events that were refused: which, why, and sending them again',
  commands: [ls, show, redrive, exporting]
}

function prepareRedrive(flags: Flags, nowMs: number): Work {
  const isJudged = flags.isOn('schema-fixed')
  // It says by itself which: the schema violations.
  if (!isJudged || flags.isOn('all')) assertScope(flags, REJECTION_FILTERS, 'rejections to send')
  const limit = readLimit(flags)
  const ratePerSecond = readRate(flags)
  const said: RejectionFilter = {
    ...readRejectionFilter(flags, nowMs),
    isOpen: !flags.isOn('again')
  }
  const filter = isJudged ? { ...said, reason: said.reason ?? 'schema-violation' } : said
  if (isJudged && !CORRECTABLE.has(filter.reason ?? '')) {
    flags.problems.push(
      `--schema-fixed goes with --reason ${[...CORRECTABLE].join(', ')}; ${filter.reason} would be refused again`
    )
  }
  const isJson = flags.isOn('json')
  return async context => {
    const { records, queues, output, clock, signal } = context
    const matching = sum((await records.countRejections(filter)).values())
    const missing = await findMissing(records, flags.operands)
    const judge = isJudged ? (await createJudge({ ...context, candidate: null })).ofBody : null
    const heldBack = createObjections()
    if (flags.isOn('dry-run')) {
      const toSend =
        judge === null
          ? Math.min(matching, limit ?? matching)
          : await countPassing(context, filter, limit, judge, heldBack)
      const rows =
        judge === null
          ? await records.listRejections(filter, Math.min(toSend, DRY_RUN_ROWS) || 1)
          : []
      if (isJson) {
        const judged =
          judge === null ? {} : { heldBack: heldBack.count, objections: heldBack.list() }
        await output.json({
          isDryRun: true,
          toSend,
          missing,
          rejections: rows.map(headJson),
          ...judged
        })
      } else {
        if (rows.length > 0) await output.write(formatRejections(rows, output.columns))
        const shown =
          rows.length > 0 && rows.length < toSend ? `, the newest ${rows.length} are shown` : ''
        output.remark(`${rows.length > 0 ? '\n' : ''}${formatCount(toSend)} would be sent${shown}`)
        tellHeldBack(output, heldBack)
      }
    }
    for (const id of missing) output.remark(`No rejection has the queue message id ${id}`)
    if (flags.isOn('dry-run')) return missing.length === 0 ? 0 : 1
    const { writer, queueName } = await queues()
    const progress = output.progress(Math.min(matching, limit ?? matching))
    const result = await redriveRejections({
      records,
      writer,
      filter,
      limit,
      ratePerSecond,
      clock,
      random: Math.random,
      signal,
      onSent: sent => progress.update(sent),
      ...(judge === null ? {} : { judge, onHeldBack: heldBack.add })
    }).finally(() => progress.stop())
    // Counted from before: a copy that was refused again is a new rejection, and no part
    // of this run.
    const left = Math.max(0, matching - result.sent)
    if (isJson) {
      const judged = judge === null ? {} : { heldBack: heldBack.count, objections: heldBack.list() }
      await output.json({ ...result, left, missing, ...judged })
    } else {
      tellRedrive(
        output,
        result,
        `sent to ${queueName} and marked as redriven, ${formatCount(left)} left`
      )
      tellHeldBack(output, heldBack)
    }
    return missing.length === 0 && isWhole(result) ? 0 : 1
  }
}

/** What may be accepted another time. */
const CORRECTABLE: ReadonlySet<string> = new Set([
  'schema-violation',
  'unknown-client',
  'unknown-event-type'
])

async function countPassing(
  { records, signal }: AdminContext,
  filter: RejectionFilter,
  limit: number | null,
  judge: Judge['ofBody'],
  heldBack: Objections
): Promise<number> {
  let passing = 0
  for await (const { queueMessageId, body } of records.readRejections(filter, null)) {
    if (signal.aborted || passing === limit) break
    const objection = judge(body)
    if (objection === null) passing++
    else heldBack.add(queueMessageId, objection)
  }
  return passing
}

function tellHeldBack(output: Output, heldBack: Objections): void {
  if (heldBack.count > 0)
    output.remark(
      `${formatCount(heldBack.count)} would be refused again, and stay:\n${formatObjections(heldBack)}`
    )
}

/** Which of these ids no rejection has. */
async function findMissing(records: Records, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return []
  const found = new Set(
    (await records.listRejections({ ...ALL_REJECTIONS, ids }, ids.length)).map(
      ({ queueMessageId }) => queueMessageId
    )
  )
  return ids.filter(id => !found.has(id))
}

async function first<T>(items: AsyncIterable<T>): Promise<T | null> {
  for await (const item of items) return item
  return null
}

function sum(counts: Iterable<number>): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
