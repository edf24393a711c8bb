/**
 * `npm run sql -- "SELECT …"`: runs one statement on the configured (or embedded)
 * database, for machines without psql.
 */
import { Client, DatabaseError } from 'pg'
import { formatTable } from '../engine/cli/table.js'
import { formatPlural, printable } from '../engine/cli/terminal-text.js'
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
            ? formatRows(
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

/** Keeps values as the server writes them, so a payload is shown as it was sent. */
const AS_TEXT = { getTypeParser: () => (text: string) => text }

/** As psql draws them. */
const STYLE = { gap: ' | ', rule: { line: '-', crossing: '-+-' } }

/** Rows as aligned columns, with their count below; long cells are cut. */
export function formatRows(
  columns: readonly string[],
  rows: readonly (readonly (string | null)[])[]
): string {
  const titles = columns.map(name => ({ title: printable(name) }))
  const cells = rows.map(row => row.map(cell))
  const count = formatPlural(rows.length, 'row')
  return `${formatTable(titles, cells, null, STYLE)}(${count})\n`
}

const LONGEST_CELL = 100

function cell(value: string | null): string {
  if (value === null) return ''
  const line = value.replaceAll(/\s+/g, ' ')
  return line.length > LONGEST_CELL ? `${line.slice(0, LONGEST_CELL - 1)}…` : line
}
