/**
 * Turns environment variables into typed values, checked by the settings' JSON Schema.
 *
 * Shapes  strings in (an empty one counts as absent, as container tools write it),
 *         numbers and strings out, defaults filled in.
 * Errors  ConfigError that names every wrong value at once, each with its remedy; secret
 *         values are never shown.
 */
import { Ajv, type ErrorObject } from 'ajv'
import { ExpectedError } from '../lifecycle/service.js'
import type { Setting, Settings } from './setting.js'

/** The environment is unusable; the message is for the person who wrote it. */
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

type Value<S extends Setting> = S extends { enum: readonly (infer Choice)[] }
  ? Choice
  : S extends { type: 'integer' }
    ? number
    : string

/** The values of settings, by their names. */
export type Values<S extends Settings> = {
  readonly [N in keyof S]: S[N] extends { default: string | number }
    ? Value<S[N]>
    : Value<S[N]> | undefined
}

/** What was read; `problems` is empty when all values are usable. */
export interface SettingsReading<S extends Settings> {
  readonly values: Values<S>
  /** A reader with further requirements adds to them. */
  readonly problems: string[]
  readonly env: Environment
}

export function readValues<S extends Settings>(settings: S, env: Environment): SettingsReading<S> {
  const validate = new Ajv({ allErrors: true, coerceTypes: true, useDefaults: true }).compile({
    type: 'object',
    properties: propertiesOf(settings)
  })
  const values: unknown = Object.fromEntries(
    Object.keys(settings).flatMap(name => (isSet(env, name) ? [[name, env[name]]] : []))
  )
  const problems = new Set<string>()
  if (!validate(values)) {
    for (const error of validate.errors ?? []) {
      const name = nameOf(error)
      const setting = settings[name]
      if (setting !== undefined) problems.add(wrongValue(name, setting, env))
    }
  }
  // A wrong value stays as written, so that later readers can find other problems.
  return { values: values as Values<S>, problems: [...problems], env }
}

/** As readValues, but throws if any value is wrong. */
export function readRightValues<S extends Settings>(settings: S, env: Environment): Values<S> {
  const { values, problems } = readValues(settings, env)
  if (problems.length > 0) throw new ConfigError(problems)
  return values
}

export function isSet(env: Environment, name: string): boolean {
  return env[name] !== undefined && env[name] !== ''
}

function propertiesOf(settings: Settings): object {
  const properties = Object.entries(settings).map(([name, setting]) => {
    const { type, default: fallback, enum: choices, minimum, maximum, pattern } = setting
    return [name, { type, default: fallback, enum: choices, minimum, maximum, pattern }]
  })
  // Through JSON, because ajv rejects a keyword whose value is undefined.
  return JSON.parse(JSON.stringify(Object.fromEntries(properties))) as object
}

const nameOf = (error: ErrorObject): string => error.instancePath.slice(1)

/** The message for a value that the setting does not accept. */
export function wrongValue(name: string, setting: Setting, env: Environment): string {
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
