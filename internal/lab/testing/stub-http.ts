/**
 * An HTTP server on loopback that answers as the test says and records its requests. A
 * request is recorded when it has arrived completely; then `answer` gets it with the
 * number of earlier requests.
 */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { listenHere } from '../../engine/http/listen.js'

export interface StubRequest {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly socket: Socket
}

export type StubAnswer = (reply: ServerResponse, request: StubRequest, before: number) => void

export interface StubHttp {
  readonly origin: string
  readonly host: string
  readonly requests: readonly StubRequest[]
  readonly connections: () => number
  readonly server: Server
}

export async function startStubHttp(
  t: { teardown(fn: () => Promise<void>): void },
  answer: StubAnswer
): Promise<StubHttp> {
  const requests: StubRequest[] = []
  let connections = 0
  const server = createServer((incoming, reply) => {
    let body = ''
    incoming.setEncoding('utf8')
    incoming.on('data', (text: string) => {
      body += text
    })
    incoming.on('end', () => {
      const request = {
        path: incoming.url ?? '',
        headers: incoming.headers,
        body,
        socket: incoming.socket
      }
      requests.push(request)
      answer(reply, request, requests.length - 1)
    })
  })
  server.on('connection', () => connections++)
  const { port, origin } = await listenHere(server)
  t.teardown(
    () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  )
  return { origin, host: `127.0.0.1:${port}`, requests, connections: () => connections, server }
}

/** Sends a complete JSON answer. */
export function answerJson(
  reply: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {}
): void {
  reply.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', ...headers })
  reply.end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** Announces more bytes than it sends, then hangs up. */
export function answerTorn(reply: ServerResponse): void {
  reply.writeHead(200, { 'content-length': '1000' })
  reply.write('{"Messages":[', () => reply.socket?.destroy())
}
