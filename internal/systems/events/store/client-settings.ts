/**
 * The ports to what operators have set for clients: one to follow it, one to set it.
 * PostgreSQL alone is behind them.
 */
export const OVER_QUOTA = ['delay', 'reject'] as const

export interface ClientLimits {
  readonly weight: number
  /** Null: as many as it likes. */
  readonly maxEventsPerS: number | null
  readonly maxBytesPerS: number | null
  readonly overQuota: (typeof OVER_QUOTA)[number]
}

export interface ClientSetting extends ClientLimits {
  readonly client: string
}

export interface ClientSettings {
  readonly settings: readonly ClientSetting[]
  /** Of the deployment, this one among them. */
  readonly processors: number
  /**
   * Some clients by name, those with settings first: at most as many as were asked for.
   */
  readonly names: readonly string[]
}

export interface ClientSettingsSource {
  read(names: number): Promise<ClientSettings>
  close(): Promise<void>
}

export interface ClientLimitsStore {
  /**
   * What is not given stays as it is. The limits that hold now; null: there is no such
   * client. StoreError.
   */
  set(client: string, change: Partial<ClientLimits>): Promise<ClientLimits | null>
}
