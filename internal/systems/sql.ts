/**
 * `npm run sql -- "SELECT …"`: one statement on the configured (or embedded) database,
 * for machines without psql.
 */
import { Client, DatabaseError } from 'pg'
import type { Environment } from '../engine/config/environment.js'
import { ExpectedError, type Service } from '../engine/lifecycle/service.js'
import { classify } from '../engine/postgres/fault.js'
import { findDatabase } from '../engine/program/services.js'
import { readBaseConfig } from './base-config.js'

export function createSql(env: Environment, args: readonly string[]): Service {
  const config = readBaseConfig(env)
  const statement = args.join(' ').trim()
  if (statement === '')
    throw new ExpectedError(
      'Which statement? For example: npm run sql -- "SELECT count(*) FROM message"'
    )
  return {
    async run() {
      const { dbConnection } = await findDatabase(config.services)
      const client = new Client({ connectionString: dbConnection })
      await client.connect().catch((error: unknown) => {
        throw new ExpectedError(`The database cannot be reached: ${classify(error).message}`)
      })
      try {
        const { rows, command, rowCount, fields } = await client.query<(string | null)[]>({
          text: statement,
          rowMode: 'array',
          types: AS_TEXT
        })
        process.stdout.write(
          fields.length > 0
            ? table(
                fields.map(field => field.name),
                rows
              )
            : `${command} ${rowCount ?? ''}\n`
        )
      } catch (error) {
        throw error instanceof DatabaseError
          ? new ExpectedError(`${error.message} (SQLSTATE ${error.code ?? '?'})`)
          : error
      } finally {
        await client.end()
      }
    }
  }
}

/** Values as the server writes them: a payload is shown as it was sent. */
const AS_TEXT = { getTypeParser: () => (text: string) => text }

/** Rows as aligned columns, the count of rows below; a long cell is cut, for the eye. */
export function table(
  columns: readonly string[],
  rows: readonly (readonly (string | null)[])[]
): string {
  const lines = [columns, ...rows.map(row => row.map(cell))]
  const widths = columns.map((_, index) => Math.max(...lines.map(line => line[index]?.length ?? 0)))
  const text = lines.map(line =>
    line
      .map((value, index) => value.padEnd(widths[index] ?? 0))
      .join(' | ')
      .trimEnd()
  )
  text.splice(1, 0, widths.map(width => '-'.repeat(width)).join('-+-'))
  return `${text.join('\n')}\n(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})\n`
}

const LONGEST_CELL = 100

function cell(value: string | null): string {
  if (value === null) return ''
  const line = value.replaceAll(/\s+/g, ' ')
  return line.length > LONGEST_CELL ? `${line.slice(0, LONGEST_CELL - 1)}…` : line
}
