/**
 * The events on one machine: fake producers send them. With embedded services, the sender
 * delivers them to a recipient that has an endpoint for each client.
 */
import { createPostgresPool } from '../../../engine/postgres/pool.js'
import { openKeyRing } from '../../../systems/events/app/key-ring.js'
import { readSenderConfig } from '../../../systems/events/config/config.js'
import { createPostgresEndpoints } from '../../../systems/events/delivery/store/postgres-endpoints.js'
import { RECORDS_POOL } from '../../../systems/events/store/pool-uses.js'
import { freePortLike } from '../choose-port.js'
import type { Demo, DemoContext, Figures, ProgramOrigins } from '../demo.js'
import { fetchText } from '../fetch-text.js'
import { prepareEndpoints } from './endpoints.js'
import { describeFigures, readDelivered, readProcessorFigures } from './figures.js'

const RECIPIENT_PORT = 8_088

export function createEventsDemo({ env, services }: DemoContext): Demo {
  return {
    argumentsOf(program) {
      const isDelivering = program === 'recipient' || program === 'sender'
      if (isDelivering && !services.isEmbedded) return Promise.resolve(null)
      return program === 'recipient' ? recipientArguments() : Promise.resolve([])
    },
    introduction: origins => ({
      above: [
        'Three fake producers send events; the processor stores each exactly once. Have a look:',
        '  rows      npm run sql -- "SELECT count(*) FROM message"',
        '            npm run sql -- "SELECT reason, count(*) FROM rejection GROUP BY reason"'
      ],
      below: origins.has('sender')
        ? [
            '  delivered the recipient checks each signature and writes a line per delivery: logs/recipient.log',
            '            node dist/cmd/admin endpoints ls'
          ]
        : []
    }),
    read: readFigures,
    describe: describeFigures,
    pace: 'received',
    sources: ['producers'],
    untilStill: ['received', 'delivered'],
    ending:
      'producers, then what is still in the queue, then what is still to be delivered, then the rest'
  }

  async function recipientArguments(): Promise<readonly string[] | null> {
    const config = readSenderConfig(env)
    if (config.services.kind !== 'embedded') return null
    const port = String(await freePortLike(RECIPIENT_PORT))
    const pool = createPostgresPool(
      { connectionString: services.dbConnection, ...config.db },
      RECORDS_POOL
    )
    const secrets = await prepareEndpoints({
      endpoints: createPostgresEndpoints(pool),
      keys: openKeyRing(config),
      dataDir: config.services.embedded.dataDir,
      origin: `http://127.0.0.1:${port}`
    }).finally(() => pool.end())
    return ['--port', port, '--secrets', secrets]
  }
}

async function readFigures(origins: ProgramOrigins): Promise<Figures | null> {
  const metricsOf = async (program: string) => {
    const origin = origins.get(program)
    return origin === undefined ? null : await fetchText(`${origin}/metrics`)
  }
  const processor = await metricsOf('processor')
  const sender = await metricsOf('sender')
  if (processor?.ok !== true) return null
  const delivered = readDelivered(sender?.ok === true ? sender.text : '')
  return { ...readProcessorFigures(processor.text), delivered }
}
