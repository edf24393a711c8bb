/**
 * The ports to the settings of clients: one to follow them, one to change them.
 * PostgreSQL is the only adapter.
 */
export const OVER_QUOTA = ['delay', 'reject'] as const

export interface ClientLimits {
  readonly weight: number
  /** Null: no limit. */
  readonly maxEventsPerS: number | null
  readonly maxBytesPerS: number | null
  readonly overQuota: (typeof OVER_QUOTA)[number]
}

export interface ClientSetting extends ClientLimits {
  readonly client: string
}

export interface ClientSettings {
  readonly settings: readonly ClientSetting[]
  /** Processors of the deployment, this one included. */
  readonly processors: number
  /** Names of clients, those with settings first; at most as many as requested. */
  readonly names: readonly string[]
}

export interface ClientSettingsSource {
  read(names: number): Promise<ClientSettings>
  close(): Promise<void>
}

export interface ClientLimitsStore {
  /**
   * Changes the given limits and leaves the others. Resolves with the limits now in
   * force, or null if there is no such client. Rejects with a StoreError.
   */
  set(client: string, change: Partial<ClientLimits>): Promise<ClientLimits | null>
}
