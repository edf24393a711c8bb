/**
 * The port to `event_schema` for people: register a version, look at versions, activate
 * and retire them.
 *
 * Shapes  a version is registered in shadow, becomes active, and is retired; it never
 *         goes back, and what it says never changes. At most one version of a place
 *         (event type, client) is active. clientId null = every client that has no active
 *         schema of its own.
 * Errors  what people can correct is an outcome; StoreError for everything else.
 */
export type SchemaState = 'shadow' | 'active' | 'retired'

export interface SchemaVersion {
  readonly id: number
  readonly eventType: string
  readonly clientId: string | null
  readonly version: number
  readonly state: SchemaState
  /**
   * SHA-256 of the schema's canonical text: equal for schemas that differ in blanks and
   * the order of keys only.
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

/** Nothing has changed, and why. */
export interface SchemaRefusal {
  readonly kind: 'refused'
  /**
   * JSON pointer into the schema (RFC 6901); '' is the schema itself, or what is refused
   * is not about its text.
   */
  readonly pointer: string
  /** A sentence for the schema's author. */
  readonly message: string
}

export type AddOutcome =
  | { readonly kind: 'added'; readonly version: SchemaVersion }
  /** The same schema is active or in shadow for this place already. */
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
  /** It is not in shadow (any more). */
  | { readonly kind: 'wrong-state'; readonly version: SchemaVersion }
  /**
   * Another operator was faster; `active` is what is active now, by whom and since when
   * it says itself.
   */
  | { readonly kind: 'overtaken'; readonly active: SchemaVersion | null }
  /** It does not compile, or is beyond the limits of this release. */
  | SchemaRefusal

export type RetireOutcome =
  | { readonly kind: 'retired'; readonly version: SchemaVersion }
  | { readonly kind: 'not-found' }
  /** It is retired already. */
  | { readonly kind: 'wrong-state'; readonly version: SchemaVersion }

/** What is left out does not matter. */
export interface SchemaFilter {
  readonly eventType?: string
  /** null = the schemas for every client. */
  readonly clientId?: string | null
  readonly version?: number
  readonly state?: SchemaState
}

export interface SchemaRegistry {
  /** Registers `text` as the place's next version, in shadow. */
  add(eventType: string, clientId: string | null, text: string): Promise<AddOutcome>
  /** By event type, client and version. */
  list(filter?: SchemaFilter): Promise<readonly SchemaVersion[]>
  show(id: number): Promise<SchemaVersionWithText | null>
  /** Makes a shadow version active and retires the one that was, in one transaction. */
  activate(id: number): Promise<ActivateOutcome>
  retire(id: number): Promise<RetireOutcome>
}
