/** What this system's commands work with. */
import type { Command, CommandGroup, CommandTools, Work } from '../../../engine/cli/command.js'
import type { Post } from '../../../engine/egress/post.js'
import type { PostResult } from '../../../engine/egress/result.js'
import type { UrlRules } from '../../../engine/egress/url.js'
import type { Clock } from '../../../engine/lifecycle/clock.js'
import type { InspectableQueue, QueueWriter } from '../../../engine/queue/queue.js'
import type { KeyRing } from '../delivery/sealed.js'
import type { DeliveryRecords } from '../delivery/store/delivery-records.js'
import type { Endpoints } from '../delivery/store/endpoints.js'
import type { ClientLimitsStore } from '../store/client-settings.js'
import type { Names } from '../store/names.js'
import type { Records } from '../store/records.js'
import type { SchemaRegistry } from '../store/schema-registry.js'

export interface AdminQueues {
  readonly queueName: string
  readonly queue: InspectableQueue
  readonly writer: QueueWriter
  /** Null when it cannot be found out. */
  readonly deadLetters: InspectableQueue | null
}

/** The sender's URL rules, its keys, and its way to post. */
export interface AdminEgress {
  readonly rules: UrlRules
  readonly keys: KeyRing
  post(post: Post): Promise<PostResult>
}

/** Queues and egress are opened on first use. */
export interface AdminContext extends CommandTools {
  readonly records: Records
  readonly clients: Names
  readonly clientLimits: ClientLimitsStore
  readonly eventTypes: Names
  readonly schemas: SchemaRegistry
  readonly endpoints: Endpoints
  readonly deliveries: DeliveryRecords
  readonly queues: () => Promise<AdminQueues>
  /** Throws a ConfigError that names missing or wrong settings of the sender. */
  readonly egress: () => AdminEgress
  readonly clock: Clock
}

export type AdminCommand = Command<AdminContext>
export type AdminGroup = CommandGroup<AdminContext>
export type AdminWork = Work<AdminContext>
