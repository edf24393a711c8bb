/**
 * Reads the official JSON Schema test suite from a folder: the required tests of the
 * drafts that are supported here.
 *
 * Errors  ExpectedError if the folder holds no such suite; it says what to look for.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ExpectedError } from '../../engine/lifecycle/service.js'

export interface Draft {
  readonly name: string
  /** Where the suite has its files, below DIR. */
  readonly folder: string
  readonly uri: string
}

/** One schema with the payloads that are tried on it. */
export interface SuiteGroup {
  readonly file: string
  readonly description: string
  readonly schema: unknown
  readonly tests: readonly SuiteTest[]
}

export interface SuiteTest {
  readonly description: string
  readonly data: unknown
  readonly valid: boolean
}

export const DRAFTS: readonly Draft[] = [
  { name: 'draft-07', folder: 'tests/draft7', uri: 'http://json-schema.org/draft-07/schema#' },
  {
    name: '2020-12',
    folder: 'tests/draft2020-12',
    uri: 'https://json-schema.org/draft/2020-12/schema'
  }
]

/** Optional tests are in folders of their own, which are skipped. */
export function readSuite(directory: string, { folder, uri }: Draft): readonly SuiteGroup[] {
  return filesIn(join(directory, folder)).flatMap(file => {
    const groups = JSON.parse(readFileSync(join(directory, folder, file), 'utf8')) as Omit<
      SuiteGroup,
      'file'
    >[]
    return groups.map(group => ({ ...group, file, schema: withDialect(group.schema, uri) }))
  })
}

function filesIn(folder: string): readonly string[] {
  let names: readonly string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    throw new ExpectedError(
      `There is no test suite in ${folder} (${(error as Error).message}): name the folder that holds tests/draft7`
    )
  }
  const files = names.filter(name => name.endsWith('.json')).toSorted()
  if (files.length === 0) throw new ExpectedError(`${folder} holds no tests`)
  return files
}

/** The suite names the draft only by its folder. */
function withDialect(schema: unknown, uri: string): unknown {
  return typeof schema === 'object' && schema !== null ? { $schema: uri, ...schema } : schema
}
