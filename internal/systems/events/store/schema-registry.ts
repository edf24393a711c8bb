/**
 * The port to `event_schema` for people: register, show, activate and retire versions.
 *
 * A version is registered in shadow, becomes active, and is retired. It never goes back,
 * and its schema never changes. At most one version of a place (event type, client) is
 * active. clientId null means every client without an active schema of its own.
 *
 * Errors  outcomes for what people can correct; StoreError for everything else.
 */
export type SchemaState = 'shadow' | 'active' | 'retired'

export interface SchemaVersion {
  readonly id: number
  readonly eventType: string
  readonly clientId: string | null
  readonly version: number
  readonly state: SchemaState
  /**
   * SHA-256 of the canonical text: equal for schemas that differ only in white space and
   * the order of keys.
   */
  readonly hash: string
  readonly createdAt: Date
  readonly activatedAt: Date | null
  /** The database role that activated it. */
  readonly activatedBy: string | null
  readonly retiredAt: Date | null
}

export interface SchemaVersionWithText extends SchemaVersion {
  /** As it was registered. */
  readonly text: string
}

/** Why nothing has changed. */
export interface SchemaRefusal {
  readonly kind: 'refused'
  /**
   * JSON pointer into the schema (RFC 6901); '' is the whole schema, or a reason that is
   * not in its text.
   */
  readonly pointer: string
  /** A sentence for the schema's author. */
  readonly message: string
}

export type AddOutcome =
  | { readonly kind: 'added'; readonly version: SchemaVersion }
  /** The same schema is already active or in shadow for this place. */
  | { readonly kind: 'exists'; readonly version: SchemaVersion }
  | { readonly kind: 'unknown-event-type' }
  | { readonly kind: 'unknown-client' }
  | SchemaRefusal

export type ActivateOutcome =
  | {
      readonly kind: 'activated'
      readonly version: SchemaVersion
      readonly retired: SchemaVersion | null
    }
  | { readonly kind: 'not-found' }
  /** It is not, or no longer, in shadow. */
  | { readonly kind: 'wrong-state'; readonly version: SchemaVersion }
  /** Another operator was faster; `active` is the version that is active now. */
  | { readonly kind: 'overtaken'; readonly active: SchemaVersion | null }
  /** It does not compile, or is beyond the limits of this release. */
  | SchemaRefusal

export type RetireOutcome =
  | { readonly kind: 'retired'; readonly version: SchemaVersion }
  | { readonly kind: 'not-found' }
  /** It is already retired. */
  | { readonly kind: 'wrong-state'; readonly version: SchemaVersion }

/** A field that is left out does not filter. */
export interface SchemaFilter {
  readonly eventType?: string
  /** Null: the schemas for every client. */
  readonly clientId?: string | null
  readonly version?: number
  readonly state?: SchemaState
}

export interface SchemaRegistry {
  /** Registers `text` as the place's next version, in shadow. */
  add(eventType: string, clientId: string | null, text: string): Promise<AddOutcome>
  /** Sorted by event type, client and version. */
  list(filter?: SchemaFilter): Promise<readonly SchemaVersion[]>
  show(id: number): Promise<SchemaVersionWithText | null>
  /** Activates a shadow version and retires the active one, in one transaction. */
  activate(id: number): Promise<ActivateOutcome>
  retire(id: number): Promise<RetireOutcome>
}
