/** What the commands on rejections need of the system whose rejections they are. */
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
  /** The word of the group: `rejections` where there is one system. */
  readonly name: string
  readonly summary: string
  readonly filters: RejectionFilters<Filter>
  readonly body: BodyView<Head>
  readonly resend: (claimed: readonly ClaimedRejection[], writer: QueueWriter) => Promise<Resent>
  /** Null: a redrive sends whatever is asked for. */
  readonly recheck: Recheck<Context> | null
  /** Says where else an id may be looked for. */
  readonly elsewhere: (id: string) => string
  /** What to correct before a redrive. */
  readonly remedy: string
  readonly examples: Readonly<Record<'ls' | 'show' | 'redrive' | 'export', readonly string[]>>
}

/** A redrive that sends only what would be accepted now. */
export interface Recheck<Context> {
  /** The option that asks for it. */
  readonly option: string
  readonly text: string
  /** What may be accepted another time; the first where the person names none. */
  readonly reasons: readonly [string, ...string[]]
  readonly open: (context: Context) => Promise<(body: string) => Objection | null>
}
