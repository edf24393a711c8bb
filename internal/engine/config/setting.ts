/**
 * What is known of a setting: a JSON Schema property (ajv reads it), and the group it is
 * shown in.
 */
export interface Setting {
  readonly type: 'string' | 'integer'
  readonly description: string
  readonly group:
    | 'Queue'
    | 'Database'
    | 'Processor'
    | 'Sender'
    | 'Producers'
    | 'Embedded services'
    | 'Logs'
    | 'Tests'
  readonly default?: string | number
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  /** What `pattern`, or the code that reads the value, takes: for the error message. */
  readonly shape?: string
  readonly secret?: true
}

export const PORT = { type: 'integer', minimum: 0, maximum: 65_535 } as const
