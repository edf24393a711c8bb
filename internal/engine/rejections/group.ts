/** The commands that each system has for its rejections: ls, show, redrive, export. */
import type { Command, CommandGroup } from '../cli/command.js'
import { exportLines } from '../cli/export-lines.js'
import { JSON_OPTION, readLimit, readText } from '../cli/options.js'
import { formatCount } from '../cli/terminal-text.js'
import type { RejectionFilter, RejectionHead } from './records.js'
import { createRedriveCommand } from './redrive-command.js'
import type { RejectionsContext, RejectionsSpec } from './spec.js'
import { formatRejection, formatRejections, rejectionHeadJson, rejectionJson } from './view.js'

const DEFAULT_LIMIT = 50
const OPEN_OPTION = { open: { value: null, text: 'only those not redriven yet' } }

export function createRejectionsGroup<
  Context extends RejectionsContext<Filter, Head>,
  Filter extends RejectionFilter,
  Head extends RejectionHead
>(spec: RejectionsSpec<Context, Filter, Head>): CommandGroup<Context> {
  return {
    name: spec.name,
    summary: spec.summary,
    commands: [ls(spec), show(spec), createRedriveCommand(spec), exporting(spec)]
  }
}

/** What the read-only commands need. */
type Reading<Filter, Head> = Pick<
  RejectionsSpec<never, Filter, Head>,
  'name' | 'filters' | 'body' | 'elsewhere' | 'examples'
>

function ls<Filter extends RejectionFilter, Head extends RejectionHead>({
  filters,
  body,
  examples
}: Reading<Filter, Head>): Command<RejectionsContext<Filter, Head>> {
  return {
    name: 'ls',
    summary: 'Lists rejections, newest first, and counts them by reason',
    options: {
      ...filters.options,
      ...OPEN_OPTION,
      limit: { value: 'N', text: `at most N rows (default ${DEFAULT_LIMIT})` },
      ...JSON_OPTION
    },
    examples: examples.ls,
    prepare: (flags, nowMs) => {
      const filter = filters.read(flags, nowMs)
      const limit = readLimit(flags) ?? DEFAULT_LIMIT
      return async ({ records, output }) => {
        const [rows, counts] = await Promise.all([
          records.listRejections(filter, limit),
          records.countRejections(filter)
        ])
        const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
        if (flags.isOn('json'))
          await output.json({
            rejections: rows.map(row => rejectionHeadJson(row, body)),
            total,
            byReason: Object.fromEntries(counts)
          })
        else if (total === 0) output.remark('No rejections.')
        else {
          await output.write(formatRejections(rows, body, output.columns))
          const reasons = [...counts].map(([reason, count]) => `${reason} ${formatCount(count)}`)
          const more = rows.length < total ? ' (--limit N shows more)' : ''
          const shown = `${formatCount(rows.length)} of ${formatCount(total)} shown${more}`
          output.remark(`\n${shown}: ${reasons.join(', ')}`)
        }
        return 0
      }
    }
  }
}

function show<Filter extends RejectionFilter, Head extends RejectionHead>({
  name,
  filters,
  body,
  elsewhere,
  examples
}: Reading<Filter, Head>): Command<RejectionsContext<Filter, Head>> {
  return {
    name: 'show',
    summary: 'Shows everything known about one rejection, with its body',
    operands: { text: 'QUEUE_MESSAGE_ID', max: 1 },
    options: JSON_OPTION,
    examples: examples.show,
    prepare: flags => {
      const id = flags.operands[0] ?? ''
      if (id === '') flags.problems.push(`QUEUE_MESSAGE_ID is missing: ${name} ls shows them`)
      return async ({ records, output }) => {
        for await (const rejection of records.readRejections({ ...filters.none, ids: [id] }, 1)) {
          if (flags.isOn('json')) await output.json(rejectionJson(rejection, body))
          else await output.write(formatRejection(rejection, body))
          return 0
        }
        output.remark(`No rejection has the queue message id ${id}. ${elsewhere(id)}`)
        return 1
      }
    }
  }
}

function exporting<Filter extends RejectionFilter, Head extends RejectionHead>({
  filters,
  body,
  examples
}: Reading<Filter, Head>): Command<RejectionsContext<Filter, Head>> {
  return {
    name: 'export',
    summary: 'Writes rejections with their bodies as JSON lines, oldest first, however many',
    options: {
      ...filters.options,
      ...OPEN_OPTION,
      limit: { value: 'N', text: 'at most N' },
      out: { value: 'FILE', text: 'a new file to write to, instead of standard output' }
    },
    examples: examples.export,
    prepare: (flags, nowMs) => {
      const filter = filters.read(flags, nowMs)
      const limit = readLimit(flags)
      const file = readText(flags, 'out')
      return ({ records, output, signal }) =>
        exportLines({
          items: records.readRejections(filter, limit),
          noun: 'rejection',
          toJson: rejection => rejectionJson(rejection, body),
          file,
          output,
          signal
        })
    }
  }
}
