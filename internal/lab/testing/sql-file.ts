/**
 * Runs a file of deployments/ as psql does: `:'name'` is a quoted variable, and `\gexec`
 * runs each value of the result before it.
 *
 * Errors  the server's error for the first failing statement; the file's transaction is
 *         rolled back.
 */
import { readFileSync } from 'node:fs'
import pg from 'pg'

export async function runSqlFile(
  pool: pg.Pool,
  name: string,
  variables: Readonly<Record<string, string>>
): Promise<void> {
  const script = readFileSync(new URL(`../../../deployments/${name}`, import.meta.url), 'utf8')
    .replace(/^\\set .*$/m, '')
    .replaceAll(/:'(\w+)'/g, (_, variable: string) => pg.escapeLiteral(variables[variable] ?? ''))
  const client = await pool.connect()
  try {
    for (const part of script.split('\\gexec')) {
      const results = (await client.query<Record<string, string>>(
        part
      )) as unknown as pg.QueryResult<Record<string, string>>[]
      const made = [results].flat().at(-1)?.rows ?? []
      for (const statement of made.flatMap(row => Object.values(row))) await client.query(statement)
    }
  } finally {
    // Closing the connection ends whatever a statement left open.
    client.release(true)
  }
}
