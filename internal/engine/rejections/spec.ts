/** What the commands on rejections need from their system. */
import type { CommandTools } from '../cli/command.js'
import type { Clock } from '../lifecycle/clock.js'
import type { QueueWriter } from '../queue/queue.js'
import type { RejectionFilters } from './filters.js'
import type { Objection } from './objections.js'
import type { ClaimedRejection, RejectionRecords } from './records.js'
import type { Resent } from './redrive-report.js'
import type { BodyView } from './view.js'

/** Where rejected bodies are sent again. */
export interface RedriveQueue {
  readonly queueName: string
  readonly writer: QueueWriter
}

export interface RejectionsContext<Filter, Head> extends CommandTools {
  readonly records: RejectionRecords<Filter, Head>
  readonly queues: () => Promise<RedriveQueue>
  readonly clock: Clock
}

export interface RejectionsSpec<Context, Filter, Head> {
  /** The group's word: `rejections` where there is one system. */
  readonly name: string
  readonly summary: string
  readonly filters: RejectionFilters<Filter>
  readonly body: BodyView<Head>
  readonly resend: (claimed: readonly ClaimedRejection[], writer: QueueWriter) => Promise<Resent>
  /** Null: a redrive sends all that it is asked for. */
  readonly recheck: Recheck<Context> | null
  /** Says where else to look for an id. */
  readonly elsewhere: (id: string) => string
  /** What to fix before a redrive. */
  readonly remedy: string
  readonly examples: Readonly<Record<'ls' | 'show' | 'redrive' | 'export', readonly string[]>>
}

/** A redrive that sends only what would be accepted now. */
export interface Recheck<Context> {
  /** The option that asks for it. */
  readonly option: string
  readonly text: string
  /** Reasons that may pass another time; the first is the default. */
  readonly reasons: readonly [string, ...string[]]
  readonly open: (context: Context) => Promise<(body: string) => Objection | null>
}
