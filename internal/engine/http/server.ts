/**
 * A small HTTP server for machines: GET routes with a text answer.
 *
 * Errors  a taken port is an ExpectedError that names the setting to change.
 * Units   milliseconds, bytes.
 * Source  limits against slow clients: Node's defaults (60 s for headers, 300 s for a
 *         request) are far above what a scrape needs, and by default Node checks them
 *         only every 30 s.
 */
import { createServer } from 'node:http'
import { listen } from './listen.js'

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export interface HttpServerOptions {
  readonly host: string
  /** 0: a free one. */
  readonly port: number
  /** The setting that changes the port, for the error message. */
  readonly portSetting: string
  readonly routes: Readonly<Record<string, () => Promise<Answer> | Answer>>
}

export interface HttpServer {
  /** The origin that was bound, e.g. `http://127.0.0.1:9464`. */
  readonly origin: string
  close(): Promise<void>
}

/**
 * A client that has not sent its headers, or its whole request, in time is cut off: it
 * must not keep others out.
 */
const LIMITS = {
  headersTimeout: 2_000,
  requestTimeout: 4_000,
  connectionsCheckingInterval: 500,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 8_192
}
const MAX_CONNECTIONS = 256

export async function startHttpServer({
  host,
  port,
  portSetting,
  routes
}: HttpServerOptions): Promise<HttpServer> {
  const server = createServer(LIMITS)
  server.maxConnections = MAX_CONNECTIONS
  server.on('request', (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined
    const send = ({ status, contentType, body }: Answer): void => {
      response
        .writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' })
        .end(request.method === 'HEAD' ? '' : body)
    }
    if (route === undefined)
      return send(plain(404, `Not here. Try ${Object.keys(routes).join(', ')}.\n`))
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(plain(405, 'Only GET.\n'))
    Promise.resolve(route()).then(send, () => send(plain(500, 'This route failed; see the log.\n')))
  })
  const remedy = `set ${portSetting} to another one`
  const { origin } = await listen(server, { host, port, remedy })
  return {
    origin,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

export function plain(status: number, body: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body }
}
