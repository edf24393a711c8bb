/** `rejections redrive`: sends rejected bodies again, or says what it would send. */
import type { Command, Work } from '../cli/command.js'
import type { Flags } from '../cli/flags.js'
import { assertScope, JSON_OPTION, REDRIVE_OPTIONS, readLimit, readRate } from '../cli/options.js'
import type { Output } from '../cli/output.js'
import { formatCount } from '../cli/terminal-text.js'
import {
  createObjections,
  formatObjections,
  type Objection,
  type Objections
} from './objections.js'
import type { RejectionFilter, RejectionHead, RejectionRecords } from './records.js'
import { redriveRejections } from './redrive.js'
import { isWhole, tellRedrive } from './redrive-report.js'
import type { Recheck, RejectionsContext, RejectionsSpec } from './spec.js'
import { formatRejections, rejectionHeadJson } from './view.js'

const DRY_RUN_ROWS = 20

export function createRedriveCommand<
  Context extends RejectionsContext<Filter, Head>,
  Filter extends RejectionFilter,
  Head extends RejectionHead
>(spec: RejectionsSpec<Context, Filter, Head>): Command<Context> {
  const { filters, recheck, remedy, examples } = spec
  return {
    name: 'redrive',
    summary: 'Sends the original bodies to the queue again and marks the rows as redriven',
    operands: { text: '[QUEUE_MESSAGE_ID ...]', max: 1_000 },
    options: {
      ...filters.options,
      ...REDRIVE_OPTIONS,
      again: { value: null, text: 'also those that were redriven before' },
      ...(recheck === null ? {} : { [recheck.option]: { value: null, text: recheck.text } }),
      ...JSON_OPTION
    },
    notes:
      'The oldest go first. A second run sends nothing that was sent before, so you may stop a run ' +
      'at any moment and start it again. A copy keeps the id of its original, so sending it twice ' +
      'only makes a duplicate. A body that is refused again becomes a new rejection, which this ' +
      `run leaves alone. ${remedy}`,
    examples: examples.redrive,
    prepare: (flags, nowMs) => prepareRedrive(flags, nowMs, spec)
  }
}

function prepareRedrive<
  Context extends RejectionsContext<Filter, Head>,
  Filter extends RejectionFilter,
  Head extends RejectionHead
>(flags: Flags, nowMs: number, spec: RejectionsSpec<Context, Filter, Head>): Work<Context> {
  const { filters, body, resend } = spec
  const recheck = spec.recheck !== null && flags.isOn(spec.recheck.option) ? spec.recheck : null
  // A recheck selects by itself: rejections that may be accepted now.
  if (recheck === null || flags.isOn('all'))
    assertScope(flags, filters.options, 'rejections to send')
  const limit = readLimit(flags)
  const ratePerSecond = readRate(flags)
  const said = { ...filters.read(flags, nowMs), isOpen: !flags.isOn('again') }
  const filter = recheck === null ? said : ofRecheck(said, recheck, flags)
  const isJson = flags.isOn('json')
  return async context => {
    const { records, queues, output, clock, signal } = context
    const matching = sum((await records.countRejections(filter)).values())
    const missing = await findMissing(records, filters.none, flags.operands)
    const objectionTo = (await recheck?.open(context)) ?? null
    const heldBack = createObjections()
    const judged = (): object =>
      recheck === null ? {} : { heldBack: heldBack.count, objections: heldBack.list() }
    if (flags.isOn('dry-run')) {
      const toSend =
        objectionTo === null
          ? Math.min(matching, limit ?? matching)
          : await countPassing(context, filter, limit, objectionTo, heldBack)
      const rows =
        objectionTo === null
          ? await records.listRejections(filter, Math.min(toSend, DRY_RUN_ROWS) || 1)
          : []
      if (isJson) {
        const rejections = rows.map(row => rejectionHeadJson(row, body))
        await output.json({ isDryRun: true, toSend, missing, rejections, ...judged() })
      } else {
        if (rows.length > 0) await output.write(formatRejections(rows, body, output.columns))
        const isCut = rows.length > 0 && rows.length < toSend
        const shown = isCut ? `, the newest ${rows.length} are shown` : ''
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
      send: claimed => resend(claimed, writer),
      filter,
      limit,
      ratePerSecond,
      batchSize: writer.limits.entries,
      clock,
      random: Math.random,
      signal,
      onSent: sent => progress.update(sent),
      objectionTo: objectionTo ?? (() => null),
      onHeldBack: heldBack.add
    }).finally(() => progress.stop())
    // A copy that was refused again is a new rejection, and not part of this run.
    const left = Math.max(0, matching - result.sent)
    if (isJson) await output.json({ ...result, left, missing, ...judged() })
    else {
      const done = `sent to ${queueName} and marked as redriven, ${formatCount(left)} left`
      tellRedrive(output, result, done)
      tellHeldBack(output, heldBack)
    }
    return missing.length === 0 && isWhole(result) ? 0 : 1
  }
}

function ofRecheck<Context, Filter extends RejectionFilter>(
  said: Filter,
  { option, reasons }: Recheck<Context>,
  flags: Flags
): Filter {
  const reason = said.reason ?? reasons[0]
  if (!reasons.includes(reason))
    flags.problems.push(
      `--${option} goes with --reason ${reasons.join(', ')}; ${reason} would be refused again`
    )
  return { ...said, reason }
}

async function countPassing<Filter, Head extends RejectionHead>(
  { records, signal }: RejectionsContext<Filter, Head>,
  filter: Filter,
  limit: number | null,
  objectionTo: (body: string) => Objection | null,
  heldBack: Objections
): Promise<number> {
  let passing = 0
  for await (const { queueMessageId, body } of records.readRejections(filter, null)) {
    if (signal.aborted || passing === limit) break
    const objection = objectionTo(body)
    if (objection === null) passing++
    else heldBack.add(queueMessageId, objection)
  }
  return passing
}

function tellHeldBack(output: Output, heldBack: Objections): void {
  if (heldBack.count === 0) return
  const count = formatCount(heldBack.count)
  output.remark(`${count} would be refused again, and stay:\n${formatObjections(heldBack)}`)
}

/** The ids that no rejection has. */
async function findMissing<Filter extends RejectionFilter, Head extends RejectionHead>(
  records: RejectionRecords<Filter, Head>,
  none: Filter,
  ids: readonly string[]
): Promise<readonly string[]> {
  if (ids.length === 0) return []
  const rows = await records.listRejections({ ...none, ids }, ids.length)
  const found = new Set(rows.map(({ queueMessageId }) => queueMessageId))
  return ids.filter(id => !found.has(id))
}

function sum(counts: Iterable<number>): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
