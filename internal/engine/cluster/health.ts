/** Serves /metrics, /livez and /readyz, as every program with workers does. */
import { type HttpServer, plain, startHttpServer } from '../http/server.js'
import type { Log } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import type { Readiness } from './readiness.js'

export interface HealthServerOptions {
  readonly host: string
  readonly port: number
  /** The setting that chooses the port. */
  readonly portSetting: string
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>
  readonly readiness: Pick<Readiness<unknown>, 'answer'>
  readonly log: Log
}

/** /livez is 200 as long as it listens. */
export async function startHealthServer({
  metrics,
  readiness,
  log,
  ...place
}: HealthServerOptions): Promise<HttpServer> {
  const server = await startHttpServer({
    ...place,
    routes: {
      '/metrics': async () => ({
        status: 200,
        contentType: metrics.contentType,
        body: await metrics.text()
      }),
      '/livez': () => plain(200, 'alive\n'),
      '/readyz': async () => readiness.answer()
    }
  })
  log.info({ metrics: `${server.origin}/metrics` }, 'listening')
  return server
}
