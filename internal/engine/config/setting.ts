/** A setting: the JSON Schema facts that ajv checks, and the text that people read. */
export interface Setting {
  readonly type: 'string' | 'integer'
  readonly description: string
  readonly default?: string | number
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  /** What `pattern`, or the code that reads the value, accepts; for the error message. */
  readonly shape?: string
  readonly secret?: true
}

/** By the names of their environment variables. */
export type Settings = Readonly<Record<string, Setting>>

/** Settings shown under one heading. */
export interface SettingGroup<S extends Settings = Settings> {
  readonly heading: string
  readonly settings: S
}

/** Keeps names and facts as types, so that values are fully typed. */
export function defineSettings<const S extends Settings>(
  heading: string,
  settings: S
): SettingGroup<S> {
  return { heading, settings }
}

export const PORT = { type: 'integer', minimum: 0, maximum: 65_535 } as const
