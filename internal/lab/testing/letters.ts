/**
 * A tiny system for tests of the admin commands that all systems share: letters, some of
 * them refused. Its rejections are kept in a list.
 */
import type { Command, CommandGroup, Commands } from '../../engine/cli/command.js'
import type { QueueWriter } from '../../engine/queue/queue.js'
import { createRejectionFilters } from '../../engine/rejections/filters.js'
import { createRejectionsGroup } from '../../engine/rejections/group.js'
import type {
  ClaimedRejection,
  RejectionClaim,
  RejectionFilter,
  RejectionHead,
  RejectionRecords
} from '../../engine/rejections/records.js'
import type { Resent, Unsent } from '../../engine/rejections/redrive-report.js'
import type { RejectionsContext } from '../../engine/rejections/spec.js'

export interface LetterFilter extends RejectionFilter {
  readonly sender: string | null
}

interface LetterHead extends RejectionHead {
  readonly sender: string
}

interface RefusedLetter extends LetterHead {
  readonly body: string
}

export const ALL_LETTERS: LetterFilter = {
  ids: null,
  sender: null,
  reason: null,
  since: null,
  isOpen: false
}

export interface LetterRecords extends RejectionRecords<LetterFilter, LetterHead> {
  /** Adds a refused letter, received after those before it. */
  refuse(body: string, sender?: string, reason?: string): void
  readonly redriven: () => readonly string[]
  readonly claims: readonly RejectionClaim<LetterFilter>[]
}

export function createLetterRecords(): LetterRecords {
  const letters: RefusedLetter[] = []
  const redriven = new Set<string>()
  const claims: RejectionClaim<LetterFilter>[] = []
  const matching = (filter: LetterFilter): readonly RefusedLetter[] =>
    letters
      .map(letter => ({
        ...letter,
        redrivenAt: redriven.has(letter.queueMessageId) ? new Date(0) : null
      }))
      .filter(
        ({ queueMessageId, sender, reason, receivedAt, redrivenAt }) =>
          filter.ids?.includes(queueMessageId) !== false &&
          (filter.sender === null || filter.sender === sender) &&
          (filter.reason === null || filter.reason === reason) &&
          (filter.since === null || filter.since <= receivedAt) &&
          (!filter.isOpen || redrivenAt === null)
      )
  return {
    refuse(body, sender = 'anna', reason = 'no-stamp') {
      letters.push({
        queueMessageId: `q-${String(letters.length).padStart(3, '0')}`,
        origin: null,
        sender,
        reason,
        violations: [{ pointer: '/stamp', keyword: 'required', message: 'is missing' }],
        receiveCount: 1,
        sentAt: null,
        receivedAt: new Date(Date.UTC(2026, 0, 31, 8, 0, letters.length)),
        redrivenAt: null,
        bodyBytes: Buffer.byteLength(body),
        body
      })
    },
    redriven: () => [...redriven],
    claims,
    listRejections: (filter, limit) =>
      Promise.resolve(matching(filter).toReversed().slice(0, limit)),
    countRejections(filter) {
      const counts = new Map<string, number>()
      for (const { reason } of matching(filter)) counts.set(reason, (counts.get(reason) ?? 0) + 1)
      return Promise.resolve(counts)
    },
    async *readRejections(filter, limit) {
      yield* matching(filter).slice(0, limit ?? undefined)
    },
    now: () => Promise.resolve('the start'),
    async claimRejections(claim, send) {
      claims.push(claim)
      const after = claim.after?.[1] ?? ''
      const claimed = matching(claim.filter)
        .filter(({ queueMessageId: id }) => !redriven.has(id) && id > after)
        .slice(0, claim.maxRows)
        .map(({ queueMessageId, body }) => ({ queueMessageId, origin: queueMessageId, body }))
      if (claimed.length === 0) return null
      for (const id of await send(claimed)) redriven.add(id)
      return ['', claimed.at(-1)?.queueMessageId ?? '']
    }
  }
}

/** One call to the queue. */
export async function resendLetters(
  claimed: readonly ClaimedRejection[],
  writer: QueueWriter
): Promise<Resent> {
  const resent = { sent: [] as string[], refused: [] as Unsent[], failed: [] as Unsent[] }
  const outcomes = await writer.send(claimed.map(({ body }) => ({ body })))
  for (const [index, outcome] of outcomes.entries()) {
    const queueMessageId = claimed[index]?.queueMessageId ?? ''
    if ('id' in outcome) resent.sent.push(queueMessageId)
    else
      (outcome.retryable ? resent.failed : resent.refused).push({
        queueMessageId,
        code: outcome.code
      })
  }
  return resent
}

export type LettersContext = RejectionsContext<LetterFilter, LetterHead>

const rejectionsGroup: CommandGroup<LettersContext> = createRejectionsGroup<
  LettersContext,
  LetterFilter,
  LetterHead
>({
  name: 'refused-letters',
  summary: 'Letters that were refused',
  filters: createRejectionFilters(['no-stamp', 'no-address'], {
    options: { sender: { value: 'NAME', text: 'only those of this sender' } },
    read: flags => ({ sender: flags.text('sender') ?? null }),
    none: { sender: null }
  }),
  body: {
    columns: [{ title: 'sender' }],
    cells: ({ sender }) => [sender],
    fields: ({ sender }) => [['sender', sender]],
    json: ({ sender }) => ({ sender })
  },
  resend: resendLetters,
  recheck: null,
  elsewhere: () => 'The postman may know.',
  remedy: 'Put a stamp on them first.',
  examples: {
    ls: ['refused-letters ls --sender anna'],
    show: ['refused-letters show q-000'],
    redrive: ['refused-letters redrive --all'],
    export: ['refused-letters export']
  }
})

const countCommand: Command<LettersContext> = {
  name: 'count',
  summary: 'Counts what was refused',
  options: {},
  examples: ['count'],
  prepare:
    () =>
    async ({ records, output }) => {
      const counts = await records.countRejections(ALL_LETTERS)
      await output.write(`${[...counts.values()].reduce((sum, count) => sum + count, 0)}\n`)
      return 0
    }
}

/** A group, and a command outside any group. */
export const LETTER_COMMANDS: Commands<LettersContext> = [rejectionsGroup, countCommand]
