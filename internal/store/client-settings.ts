/** The port to what operators have set for clients; PostgreSQL alone is behind it. */
export interface ClientSetting {
  readonly client: string
  readonly weight: number
  readonly maxEventsPerS: number | null
  readonly maxBytesPerS: number | null
  readonly overQuota: 'delay' | 'reject'
}

export interface ClientSettings {
  readonly settings: readonly ClientSetting[]
  /** Of the deployment, this one among them. */
  readonly processors: number
  /** Some clients by name, those with settings first: at most as many as were asked for. */
  readonly names: readonly string[]
}

export interface ClientSettingsSource {
  read(names: number): Promise<ClientSettings>
  close(): Promise<void>
}
