/** `dead-letters`: messages that were received too often without becoming a row. */

import type { Flags } from '../../../engine/cli/flags.js'
import {
  assertScope,
  JSON_OPTION,
  REDRIVE_OPTIONS,
  readLimit,
  readRate
} from '../../../engine/cli/options.js'
import { formatCount } from '../../../engine/cli/terminal-text.js'
import { settleAll } from '../../../engine/queue/settle-all.js'
import { isWhole, tellRedrive } from '../../../engine/rejections/redrive-report.js'
import type { AdminCommand, AdminGroup, AdminWork } from './context.js'
import { type DeadLetterFilter, matches, readDeadLetter } from './dead-letter.js'
import {
  DEAD_LETTER_FILTERS,
  deadLetterQueue,
  findDeadLetters,
  readDeadLetterFilter,
  tellUnseen
} from './dead-letter-search.js'
import { deadLetterJson, formatDeadLetter, formatDeadLetters } from './dead-letter-view.js'
import { redriveDeadLetters } from './redrive-dead-letters.js'
import { scanQueue } from './scan-queue.js'

const DEFAULT_LIMIT = 50
const NOT_SEEN = 'of the ids are not among the dead letters that could be seen'
const LOOKING =
  'The queue can only be looked at by receiving: each look raises the receive counts and hides ' +
  'the messages until it is over (a few seconds; if the command is killed, from 20 s for a short ' +
  'queue to some minutes for a long one). It has no other effect: no further queue follows the ' +
  'dead-letter queue.'

const ls: AdminCommand = {
  name: 'ls',
  summary: 'Lists dead letters',
  options: {
    ...DEAD_LETTER_FILTERS,
    limit: { value: 'N', text: `at most N (default ${DEFAULT_LIMIT})` },
    ...JSON_OPTION
  },
  notes: LOOKING,
  examples: ['dead-letters ls', 'dead-letters ls --client client-1 --since 1d --json'],
  prepare: (flags, nowMs) => {
    const filter = readDeadLetterFilter(flags, nowMs)
    const limit = readLimit(flags) ?? DEFAULT_LIMIT
    return async context => {
      const { output } = context
      const { found, scan } = await findDeadLetters(context, filter, limit)
      if (flags.isOn('json')) await output.json({ deadLetters: found.map(deadLetterJson), ...scan })
      else if (found.length > 0) {
        await output.write(formatDeadLetters(found, output.columns))
        const seen = `${formatCount(scan.seen)} of about ${formatCount(scan.expected)}`
        output.remark(`\n${formatCount(found.length)} shown, ${seen} looked at`)
      } else
        output.remark(
          scan.seen === 0
            ? 'No dead letters.'
            : `None of the ${formatCount(scan.seen)} dead letters matches.`
        )
      tellUnseen(context, scan)
      return context.signal.aborted ? 1 : 0
    }
  }
}

const show: AdminCommand = {
  name: 'show',
  summary: 'Shows one dead letter with its body',
  operands: { text: 'QUEUE_MESSAGE_ID', max: 1 },
  options: JSON_OPTION,
  notes: LOOKING,
  examples: ['dead-letters show 0b6f2c1e-6f0e-4d3b-9f5c-2a9b6a0d7c11'],
  prepare: (flags, nowMs) => {
    const id = flags.operands[0] ?? ''
    if (id === '') flags.problems.push('QUEUE_MESSAGE_ID is missing: dead-letters ls shows them')
    const filter = readDeadLetterFilter(flags, nowMs)
    return async context => {
      const { output } = context
      const { found, scan } = await findDeadLetters(context, filter, 1)
      const [deadLetter] = found
      if (deadLetter === undefined) {
        output.remark(
          `None of the ${formatCount(scan.seen)} dead letters has the queue message id ${id}`
        )
        tellUnseen(context, scan)
        return 1
      }
      if (flags.isOn('json'))
        await output.json({ ...deadLetterJson(deadLetter), body: deadLetter.message.body })
      else await output.write(formatDeadLetter(deadLetter))
      return 0
    }
  }
}

const redrive: AdminCommand = {
  name: 'redrive',
  summary: 'Sends dead letters to the main queue again, and deletes each once its copy is accepted',
  operands: { text: '[QUEUE_MESSAGE_ID ...]', max: 1_000 },
  options: { ...DEAD_LETTER_FILTERS, ...REDRIVE_OPTIONS, ...JSON_OPTION },
  notes:
    'You may stop a run at any moment and start it again: nothing is deleted before its copy is ' +
    'accepted. A copy keeps the id of its event, so sending it twice only makes a duplicate. A ' +
    'message that kills its worker will do so again: fix the cause first.',
  examples: [
    'dead-letters redrive --all --dry-run',
    'dead-letters redrive --client client-1 --event-type user-app --rate 50/s',
    'dead-letters redrive 0b6f2c1e-6f0e-4d3b-9f5c-2a9b6a0d7c11'
  ],
  prepare: prepareRedrive
}

const purge: AdminCommand = {
  name: 'purge',
  summary: 'Deletes dead letters for good',
  operands: { text: '[QUEUE_MESSAGE_ID ...]', max: 1_000 },
  options: {
    ...DEAD_LETTER_FILTERS,
    all: { value: null, text: 'all of them; needed if there are no ids and no filters' },
    limit: { value: 'N', text: 'at most N' },
    'dry-run': { value: null, text: 'show what would be deleted, and delete nothing' },
    yes: { value: null, text: 'required: deleted messages cannot be brought back' },
    ...JSON_OPTION
  },
  examples: [
    'dead-letters purge --older-than 7d --dry-run',
    'dead-letters purge --older-than 7d --yes',
    'dead-letters purge --all --yes'
  ],
  prepare: preparePurge
}

export const deadLettersGroup: AdminGroup = {
  name: 'dead-letters',
  summary: 'Messages received too often without becoming a row: look at, redrive, delete',
  commands: [ls, show, redrive, purge]
}

function prepareRedrive(flags: Flags, nowMs: number): AdminWork {
  assertScope(flags, DEAD_LETTER_FILTERS, 'dead letters to send')
  const filter = readDeadLetterFilter(flags, nowMs)
  const limit = readLimit(flags)
  const ratePerSecond = readRate(flags)
  const isJson = flags.isOn('json')
  if (flags.isOn('dry-run')) return dryRun(filter, limit, isJson, 'would be sent')
  return async context => {
    const { records, output, clock, signal } = context
    const { writer, queueName } = await context.queues()
    const deadLetters = await deadLetterQueue(context)
    const { visible } = await deadLetters.inspect.depth()
    const progress = output.progress(Math.min(visible, limit ?? visible))
    const result = await redriveDeadLetters({
      deadLetters,
      writer,
      records,
      filter,
      limit,
      ratePerSecond,
      clock,
      random: Math.random,
      signal,
      onSent: sent => progress.update(sent)
    }).finally(() => progress.stop())
    const { sent, undeleted, seen } = result
    const missing = filter.ids === null ? 0 : filter.ids.size - sent
    if (isJson) await output.json({ ...result, missing })
    else {
      const done = `sent to ${queueName} and deleted here, of ${formatCount(seen)} looked at`
      tellRedrive(output, result, done)
      if (missing > 0) output.remark(`${formatCount(missing)} ${NOT_SEEN}`)
      if (undeleted > 0)
        output.remark(
          `${formatCount(undeleted)} of them are still here, because their delete failed; ` +
            'sent again, they are duplicates'
        )
    }
    tellUnseen(context, result)
    return isWhole(result) && missing === 0 && undeleted === 0 ? 0 : 1
  }
}

function preparePurge(flags: Flags, nowMs: number): AdminWork {
  assertScope(flags, DEAD_LETTER_FILTERS, 'dead letters to delete')
  const filter = readDeadLetterFilter(flags, nowMs)
  const limit = readLimit(flags)
  const isJson = flags.isOn('json')
  if (flags.isOn('dry-run')) return dryRun(filter, limit, isJson, 'would be deleted')
  if (!flags.isOn('yes'))
    flags.problems.push(
      '--yes is missing: deleted messages cannot be brought back (--dry-run shows them)'
    )
  return async context => {
    const { output, clock, signal } = context
    const queue = await deadLetterQueue(context)
    let deleted = 0
    let undeleted = 0
    const scan = await scanQueue({
      queue,
      clock,
      signal,
      async visit(messages) {
        const room = limit === null ? messages.length : limit - deleted
        const chosen = messages
          .filter(message => matches(readDeadLetter(message), filter))
          .slice(0, room)
        const failed = await settleAll(chosen, receipts => queue.ack(receipts), { clock, signal })
        deleted += chosen.length - failed.length
        undeleted += failed.length
        const remaining = new Set(failed.map(({ id }) => id))
        return {
          gone: new Set(chosen.map(({ id }) => id).filter(id => !remaining.has(id))),
          isEnough: deleted === limit
        }
      }
    })
    const missing = filter.ids === null ? 0 : filter.ids.size - deleted
    if (isJson)
      await output.json({ deleted, undeleted, missing, isInterrupted: signal.aborted, ...scan })
    else {
      output.remark(`${formatCount(deleted)} deleted, of ${formatCount(scan.seen)} looked at`)
      if (undeleted > 0) output.remark(`${formatCount(undeleted)} could not be deleted`)
      if (missing > 0) output.remark(`${formatCount(missing)} ${NOT_SEEN}`)
      if (signal.aborted) output.remark('Interrupted.')
    }
    tellUnseen(context, scan)
    return undeleted === 0 && missing === 0 && !signal.aborted ? 0 : 1
  }
}

function dryRun(
  filter: DeadLetterFilter,
  limit: number | null,
  isJson: boolean,
  what: string
): AdminWork {
  return async context => {
    const { output, signal } = context
    const { found, scan } = await findDeadLetters(context, filter, limit ?? Infinity)
    const shown = found.slice(0, DEFAULT_LIMIT)
    if (isJson)
      await output.json({
        isDryRun: true,
        matching: found.length,
        deadLetters: shown.map(deadLetterJson),
        ...scan
      })
    else {
      if (shown.length > 0) await output.write(formatDeadLetters(shown, output.columns))
      const left = found.length > shown.length ? `, ${formatCount(shown.length)} are shown` : ''
      const counts = `${formatCount(found.length)} ${what}, of ${formatCount(scan.seen)} looked at`
      output.remark(`${shown.length > 0 ? '\n' : ''}${counts}${left}`)
    }
    tellUnseen(context, scan)
    return signal.aborted ? 1 : 0
  }
}
