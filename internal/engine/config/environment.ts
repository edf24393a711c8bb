/**
 * Environment variables → typed values, checked by the settings' JSON Schema.
 *
 * Shapes  strings in (an empty one counts as absent, as container tools write it),
 *         numbers and strings out, defaults filled in.
 * Errors  ConfigError that names every wrong value at once, each with its remedy; secret
 *         values are never shown.
 */
import { Ajv, type ErrorObject } from 'ajv'
import { SETTINGS, type SettingName } from '../../systems/events/config/settings.js'
import { ExpectedError } from '../lifecycle/service.js'
import type { Setting } from './setting.js'

/** The environment is not usable; the message is for the person who wrote it. */
export class ConfigError extends ExpectedError {
  override readonly name: string = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(
      `Wrong configuration (see .env-template):\n${problems.map(problem => `  - ${problem}`).join('\n')}`
    )
    this.problems = problems
  }
}

export type Environment = Readonly<Record<string, string | undefined>>

type Value<N extends SettingName> = (typeof SETTINGS)[N] extends { enum: readonly (infer Choice)[] }
  ? Choice
  : (typeof SETTINGS)[N] extends { type: 'integer' }
    ? number
    : string
type HasDefault<N extends SettingName> = (typeof SETTINGS)[N] extends { default: string | number }
  ? true
  : false
export type Values = {
  readonly [N in SettingName]: HasDefault<N> extends true ? Value<N> : Value<N> | undefined
}

const properties: Record<string, object> = {}
for (const [
  name,
  { type, default: fallback, enum: choices, minimum, maximum, pattern }
] of Object.entries<Setting>(SETTINGS)) {
  properties[name] = JSON.parse(
    JSON.stringify({ type, default: fallback, enum: choices, minimum, maximum, pattern })
  ) as object
}
const validate = new Ajv({ allErrors: true, coerceTypes: true, useDefaults: true }).compile({
  type: 'object',
  properties
})

/**
 * The values of all settings, and what is wrong with them; `problems` is empty when all
 * are usable.
 */
export function readValues(env: Environment): {
  readonly values: Values
  readonly problems: string[]
} {
  const values: Record<string, unknown> = {}
  for (const name of Object.keys(SETTINGS))
    if (env[name] !== undefined && env[name] !== '') values[name] = env[name]
  const problems = validate(values)
    ? []
    : Array.from(new Set((validate.errors ?? []).map(error => wrongValue(nameOf(error), env))))
  return { values: values as unknown as Values, problems }
}

const nameOf = (error: ErrorObject): SettingName => error.instancePath.slice(1) as SettingName

/** What to say of a value that the setting does not take. */
export function wrongValue(name: SettingName, env: Environment): string {
  const setting: Setting = SETTINGS[name]
  const found = setting.secret === true ? '' : `, not ${JSON.stringify(env[name])}`
  return `${name} must be ${expected(setting)}${found}`
}

function expected({ type, enum: choices, minimum, maximum, shape }: Setting): string {
  if (choices !== undefined)
    return choices.length === 1 ? (choices[0] ?? '') : `one of ${choices.join(', ')}`
  if (type === 'integer')
    return `a whole number from ${minimum ?? 0} to ${maximum ?? Number.MAX_SAFE_INTEGER}`
  return shape ?? 'text'
}
