/**
 * What a command of the admin program is: its words, its options, its help and its work.
 *
 * Shapes  a group (`rejections`) has commands (`ls`); a command may also stand alone
 *         (`trace`). groups.ts lists them all.
 * Errors  `prepare` adds what is wrong to the flags' problems; the work throws
 *         StoreError, QueueError or ExpectedError.
 */

import type { KeyRing } from '../../systems/events/delivery/sealed.js'
import type { DeliveryRecords } from '../../systems/events/delivery/store/delivery-records.js'
import type { Endpoints } from '../../systems/events/delivery/store/endpoints.js'
import type { ClientLimitsStore } from '../../systems/events/store/client-settings.js'
import type { Names } from '../../systems/events/store/names.js'
import type { Records } from '../../systems/events/store/records.js'
import type { SchemaRegistry } from '../../systems/events/store/schema-registry.js'
import type { Post } from '../egress/post.js'
import type { PostResult } from '../egress/result.js'
import type { UrlRules } from '../egress/url.js'
import type { Clock } from '../lifecycle/clock.js'
import type { InspectableQueue, QueueWriter } from '../queue/queue.js'
import type { Flags } from './flags.js'
import type { Output } from './output.js'

/** An option: a switch, or with the word that its help shows for the value. */
export interface Option {
  readonly value: string | null
  readonly text: string
  /** May be given several times. */
  readonly isRepeated?: true
}

export type Options = Readonly<Record<string, Option>>

/**
 * Done, or failed: also where what was asked for is not there. Wrong arguments are 2, and
 * come before any work.
 */
export type ExitCode = 0 | 1

export type Work = (context: AdminContext) => Promise<ExitCode>

export interface Command {
  readonly name: string
  /** One line, for the list of commands. */
  readonly summary: string
  /** How operands are written, such as `ID`; absent: there are none. */
  readonly operands?: { readonly text: string; readonly max: number }
  readonly options: Options
  /** What else a person must know. */
  readonly notes?: string
  /** What stands behind the program's name. */
  readonly examples: readonly string[]
  readonly prepare: (flags: Flags, nowMs: number) => Work
}

export interface CommandGroup {
  readonly name: string
  readonly summary: string
  readonly commands: readonly Command[]
}

export interface AdminQueues {
  readonly queueName: string
  readonly queue: InspectableQueue
  readonly writer: QueueWriter
  /** Null where it cannot be found out which one it is. */
  readonly deadLetters: { readonly name: string; readonly queue: InspectableQueue } | null
}

/** What the sender goes by, and its way out. */
export interface AdminEgress {
  readonly rules: UrlRules
  readonly keys: KeyRing
  post(post: Post): Promise<PostResult>
}

/** What commands work with. Nothing is opened before it is asked for. */
export interface AdminContext {
  readonly records: Records
  readonly clients: Names
  readonly clientLimits: ClientLimitsStore
  readonly eventTypes: Names
  readonly schemas: SchemaRegistry
  readonly endpoints: Endpoints
  readonly deliveries: DeliveryRecords
  readonly queues: () => Promise<AdminQueues>
  /** Throws a ConfigError that says what the sender's settings lack. */
  readonly egress: () => AdminEgress
  readonly output: Output
  readonly clock: Clock
  /** Aborts at Ctrl-C: what is under way is finished, nothing further is begun. */
  readonly signal: AbortSignal
}
