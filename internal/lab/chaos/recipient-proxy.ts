/**
 * An HTTP proxy between the sender and the recipient. It causes the recipient's trouble
 * and reports when a POST has left.
 *
 * Errors  while the recipient cannot be reached, connections are reset, as by a closed
 *         port.
 */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { listenHere } from '../../engine/http/listen.js'
import { reset } from './reset.js'

export type RecipientTrouble =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterS: number | null }
  /** Nothing arrives, nothing is answered. */
  | { readonly kind: 'hang' }
  /** The connection breaks when the POST is complete; nothing arrives. */
  | { readonly kind: 'reset' }
  /** Every POST arrives; a `share` of the answers is lost. */
  | { readonly kind: 'lost-answers'; readonly share: number }

export interface RecipientProxy {
  readonly origin: string
  /** Where the recipient is. */
  targetPort: number
  trouble: RecipientTrouble | null
  /** Called once, when the next POST is complete, before it is passed on. */
  onPost: (() => void) | null
  resetAll(): void
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
/**
 * Longer than the sender keeps a connection. A connection closing during a POST would be
 * an unplanned fault.
 */
const KEEP_ALIVE_MS = 120_000

export async function startRecipientProxy(random: () => number): Promise<RecipientProxy> {
  const agent = new Agent({ keepAlive: true })
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (incoming, reply) => {
    reply.on('error', () => undefined)
    readAll(incoming)
      .then(body => pass(incoming, body, reply))
      .catch(() => reset(incoming.socket))
  })

  async function pass(
    incoming: IncomingMessage,
    body: Buffer,
    reply: ServerResponse
  ): Promise<void> {
    const { trouble, onPost } = proxy
    proxy.onPost = null
    onPost?.()
    switch (trouble?.kind) {
      case 'hang':
        return
      case 'reset':
        reset(incoming.socket)
        return
      case 'status':
        reply
          .writeHead(
            trouble.status,
            trouble.retryAfterS === null ? {} : { 'retry-after': String(trouble.retryAfterS) }
          )
          .end()
        return
      case 'lost-answers':
      case undefined:
    }
    const { status, text } = await forward(incoming, body)
    if (trouble !== null && random() < trouble.share) reset(incoming.socket)
    else reply.writeHead(status).end(text)
  }

  function forward(
    incoming: IncomingMessage,
    body: Buffer
  ): Promise<{ readonly status: number; readonly text: Buffer }> {
    return new Promise((resolve, reject) => {
      const where = {
        host: LOOPBACK,
        port: proxy.targetPort,
        path: incoming.url,
        method: incoming.method,
        headers: incoming.headers,
        agent
      }
      const outgoing = request(where, answer => {
        readAll(answer).then(text => resolve({ status: answer.statusCode ?? 502, text }), reject)
      })
      outgoing.once('error', reject)
      outgoing.end(body)
    })
  }

  const { origin } = await listenHere(server)
  const open = new Set<IncomingMessage['socket']>()
  server.on('connection', socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  const proxy: RecipientProxy = {
    origin,
    targetPort: 0,
    trouble: null,
    onPost: null,
    resetAll() {
      for (const socket of open) reset(socket)
    },
    close() {
      agent.destroy()
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    }
  }
  return proxy
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
