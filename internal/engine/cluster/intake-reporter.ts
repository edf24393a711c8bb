/**
 * A worker's counterpart of intake-watch.ts: tells the primary about each transaction
 * before and after its outcome, and which message is being examined.
 */
import type { CommitJournal } from '../intake/committer.js'
import type { SuspectRecord } from '../intake/suspects.js'
import type { Disposition, Entry, Rejection } from '../message/message.js'
import { CounterSums, type Counts } from '../observe/counters.js'
import type { DeathWord, IntakeWord } from './intake-watch.js'

/**
 * Sends a word to the primary; resolves when it has left this process, or when the
 * primary is gone.
 */
export type SendWord = (word: IntakeWord) => Promise<void>

export interface CommitJournalOptions<Item, Refused extends Rejection = Rejection> {
  readonly sums: CounterSums
  /** What a transaction adds to the sums if it commits. */
  readonly countsOf: (
    dispositions: readonly Disposition[],
    entries: readonly Entry<Item, Refused>[]
  ) => Counts
  readonly send: SendWord
}

export function createCommitJournal<Item, Refused extends Rejection>({
  sums,
  countsOf,
  send
}: CommitJournalOptions<Item, Refused>): CommitJournal<Item, Refused> {
  const announced = new Map<string, Counts>()
  const decided = (tx: string): void => {
    announced.delete(tx)
    void send({ kind: 'decided', tx, counts: sums.counts })
  }
  return {
    committing(tx, dispositions, entries) {
      const counts = countsOf(dispositions, entries)
      announced.set(tx, counts)
      return send({ kind: 'committing', tx, counts })
    },
    committed(tx) {
      sums.addAll(announced.get(tx) ?? {})
      decided(tx)
    },
    rolledBack: decided
  }
}

/** Counts entries by disposition: `stored`, `duplicate`, `rejected/reason`. */
export function countDispositions(dispositions: readonly Disposition[]): Counts {
  const batch = new CounterSums()
  for (const disposition of dispositions) {
    if (disposition === 'stored' || disposition === 'duplicate') batch.add(disposition, 1)
    else batch.add('rejected', 1, disposition)
  }
  return batch.counts
}

export interface HeardSuspects extends SuspectRecord {
  /** Takes a word from the primary. */
  hear(word: DeathWord): void
}

export function createSuspectRecord(send: SendWord): HeardSuspects {
  const deaths = new Map<string, number>()
  return {
    examining: messageId => send({ kind: 'examining', messageId }),
    deaths: messageId => deaths.get(messageId) ?? 0,
    hear: death => void deaths.set(death.messageId, death.deaths)
  }
}
