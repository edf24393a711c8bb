/**
 * `npm run db-example`: draws db-example.png from the rows of the database in use, so
 * that the picture shows real rows.
 *
 * Takes `[FILE]`: a name that ends in .svg is written as SVG, any other as PNG.
 *
 * Source  @resvg/resvg-js turns SVG into PNG without a browser and draws text with the
 *         system's fonts.
 */
import { writeFileSync } from 'node:fs'
import { Client } from 'pg'
import type { Environment } from '../../engine/config/environment.js'
import type { Service } from '../../engine/lifecycle/service.js'
import { findDatabase } from '../../engine/program/services.js'
import { readBaseConfig } from '../../systems/base-config.js'
import { drawPanels, type Panel } from './table-picture.js'

const DEFAULT_FILE = 'db-example.png'
/** Twice the displayed size, for high-resolution screens. */
const ZOOM = 2

/**
 * A panel to fill: the statement that is shown, and the one that picks a few telling
 * rows.
 */
interface Question extends Omit<Panel, 'rows'> {
  readonly pick: string
}

const QUESTIONS: readonly (readonly Question[])[] = [
  [
    {
      title: 'message',
      statement: 'SELECT message_id, message, fk_event_type_name, fk_client_name FROM message',
      columns: [
        { title: 'message_id', characters: 36 },
        { title: 'message', characters: 68 },
        { title: 'fk_event_type_name', characters: 18 },
        { title: 'fk_client_name', characters: 14 }
      ],
      pick: `
        SELECT message_id, message::text, fk_event_type_name, fk_client_name
        FROM (SELECT *, row_number() OVER (PARTITION BY fk_client_name, json_typeof(message) ORDER BY tx DESC, message_id) AS nth FROM message) AS m
        WHERE nth <= CASE WHEN json_typeof(message) = 'string' THEN 3 ELSE 1 END
        ORDER BY received_at, message_id LIMIT 12`
    }
  ],
  [
    {
      title: 'rejection',
      statement: "SELECT reason, violations->0->>'message', body, receive_count FROM rejection",
      columns: [
        { title: 'reason', characters: 18 },
        { title: 'violations', characters: 66 },
        { title: 'body', characters: 39 },
        { title: 'receive_count', characters: 13 }
      ],
      pick: `
        SELECT reason, violations->0->>'message', body, receive_count::text
        FROM (SELECT *, row_number() OVER (PARTITION BY reason ORDER BY length(body), queue_message_id) AS nth FROM rejection) AS r
        WHERE nth <= 1 OR (reason = 'not-json' AND nth <= 2)
        ORDER BY reason, nth LIMIT 12`
    }
  ],
  [
    {
      title: 'client',
      statement: 'SELECT name FROM client',
      columns: [{ title: 'name', characters: 28 }],
      pick: 'SELECT name FROM client ORDER BY name LIMIT 6'
    },
    {
      title: 'event_type',
      statement: 'SELECT name FROM event_type',
      columns: [{ title: 'name', characters: 32 }],
      pick: 'SELECT name FROM event_type ORDER BY name LIMIT 6'
    },
    {
      title: 'how many',
      statement: 'SELECT count(*) FROM message; SELECT count(*) FROM rejection',
      columns: [
        { title: 'table', characters: 38 },
        { title: 'count', characters: 28 }
      ],
      pick: `
        SELECT what, count::text FROM (
          SELECT 1 AS n, 'message' AS what, count(*) FROM message
          UNION ALL SELECT 2, 'message, distinct (client, message_id)', count(*) FROM (SELECT DISTINCT fk_client_name, message_id FROM message) AS d
          UNION ALL SELECT 3, 'rejection', count(*) FROM rejection
        ) AS counts ORDER BY n`
    }
  ]
]

export function createDbExample(
  env: Environment,
  [file = DEFAULT_FILE]: readonly string[]
): Service {
  const config = readBaseConfig(env)
  return {
    async run() {
      const { dbConnection } = await findDatabase(config.services)
      const svg = drawPanels(await readPanels(dbConnection))
      writeFileSync(file, file.endsWith('.svg') ? svg : await rasterize(svg))
      process.stdout.write(`${file} written\n`)
    }
  }
}

async function readPanels(connectionString: string): Promise<Panel[][]> {
  const client = new Client({ connectionString })
  await client.connect()
  try {
    const panels: Panel[][] = []
    for (const row of QUESTIONS) {
      const drawn: Panel[] = []
      for (const { pick, ...panel } of row) {
        const { rows } = await client.query<(string | null)[]>({ text: pick, rowMode: 'array' })
        drawn.push({ ...panel, rows: rows.map(cells => cells.map(cell => cell ?? '')) })
      }
      panels.push(drawn)
    }
    return panels
  } finally {
    await client.end()
  }
}

async function rasterize(svg: string): Promise<Uint8Array> {
  // A development package: loaded only to draw a picture.
  const { Resvg } = await import('@resvg/resvg-js')
  return new Resvg(svg, { fitTo: { mode: 'zoom', value: ZOOM }, font: { loadSystemFonts: true } })
    .render()
    .asPng()
}
