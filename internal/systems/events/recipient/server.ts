/**
 * The HTTP server of the recipient: takes deliveries with POST on any path, checks them
 * and answers as the options say.
 *
 * A delivery is answered after the given latency. An accepted delivery is answered only
 * once its line is in the ledger, so the ledger has every delivery that the sender counts
 * as delivered.
 *
 * Errors  a taken port is an ExpectedError. If the ledger cannot be written, the answer
 *         is 500 and `onFailure` gets the error.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listen } from '../../../engine/http/listen.js'
import type { Clock } from '../../../engine/lifecycle/clock.js'
import type { Answers } from './arguments.js'
import type { Arrivals } from './arrivals.js'
import { type ReceivedDelivery, type RecipientLedgerEntry, readEnvelope } from './delivery.js'
import type { Verifier } from './secrets.js'

export interface RecipientServerOptions {
  readonly host: string
  readonly port: number
  readonly answers: Answers
  readonly verifier: Verifier
  readonly arrivals: Arrivals
  readonly clock: Clock
  readonly random: () => number
  /** Resolves when the entry is safe; null: there is no ledger. */
  readonly record: ((entry: RecipientLedgerEntry) => Promise<void>) | null
  /** Null: deliveries are not shown, and the envelope is read only for the ledger. */
  readonly onDelivery: ((delivery: ReceivedDelivery) => void) | null
  readonly onFailure: (error: unknown) => void
}

export interface RecipientServer {
  readonly origin: string
  /** Takes no more deliveries; waits up to CLOSE_GRACE_MS for the open answers. */
  close(): Promise<void>
}

/** A payload of 1 MiB and its envelope. */
const MAX_BODY_BYTES = 2_097_152
/** Longer than senders keep idle connections, so that the sender closes them. */
const KEEP_ALIVE_MS = 65_000
const CLOSE_GRACE_MS = 1_000
const HOW_TO = 'Send deliveries here with POST.\n'

export async function startRecipientServer(
  options: RecipientServerOptions
): Promise<RecipientServer> {
  const { host, port, clock } = options
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS })
  server.on('request', (request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(405, { allow: 'POST' }).end(HOW_TO)
      request.resume()
      return
    }
    readBody(request, body => {
      if (body === null)
        response.writeHead(413, { connection: 'close' }).end(`More than ${MAX_BODY_BYTES} bytes.\n`)
      else if (options.answers.latencyMs === 0) take(request, response, body, options)
      else clock.after(options.answers.latencyMs, () => take(request, response, body, options))
    })
  })
  const remedy = 'choose another with --port or --host'
  const { origin } = await listen(server, { host, port, remedy })
  return {
    origin,
    close: () =>
      new Promise(resolve => {
        const cancel = clock.after(CLOSE_GRACE_MS, () => server.closeAllConnections())
        server.close(() => {
          cancel()
          resolve()
        })
        server.closeIdleConnections()
      })
  }
}

function take(
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
  options: RecipientServerOptions
): void {
  const { answers, verifier, arrivals, clock, random, record, onDelivery, onFailure } = options
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
  const webhookId = headerOf(request, 'webhook-id')
  const headers = {
    'webhook-id': webhookId,
    'webhook-timestamp': headerOf(request, 'webhook-timestamp'),
    'webhook-signature': headerOf(request, 'webhook-signature')
  }
  const why = verifier.isChecking ? verifier.verify(path, headers, body) : null
  const isValid = verifier.isChecking ? why === null : null
  const seen = why === null ? arrivals.seen(path, webhookId) : 0
  const isFailure = why === null && answers.failures.share > 0 && random() < answers.failures.share
  const status = why !== null ? 401 : isFailure ? answers.failures.status : answers.status
  const delivery: ReceivedDelivery | null =
    record === null && onDelivery === null
      ? null
      : {
          ...readEnvelope(body),
          receivedAt: new Date(clock.epochMs()),
          path,
          webhookId: webhookId === '' ? null : webhookId,
          isValid,
          why,
          seen,
          status
        }
  if (delivery !== null) onDelivery?.(delivery)
  if (why !== null) {
    arrivals.invalid()
    response.writeHead(status).end(`${why}\n`)
    return
  }
  if (isFailure) {
    arrivals.failed()
    const { retryAfterS } = answers.failures
    response
      .writeHead(status, retryAfterS === null ? {} : { 'retry-after': String(retryAfterS) })
      .end()
    return
  }
  const accept = (): void => {
    arrivals.accepted(path, webhookId)
    response.writeHead(status).end()
  }
  if (record === null || delivery === null) {
    accept()
    return
  }
  record(entryOf(delivery)).then(accept, (error: unknown) => {
    response.writeHead(500).end()
    onFailure(error)
  })
}

function entryOf({
  webhookId,
  path,
  eventId,
  clientId,
  eventType,
  isValid,
  receivedAt
}: ReceivedDelivery): RecipientLedgerEntry {
  return {
    webhookId,
    path,
    eventId,
    clientId,
    eventType,
    valid: isValid,
    receivedAt: receivedAt.toISOString()
  }
}

function headerOf({ headers }: IncomingMessage, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : ''
}

/** Gives the whole body, or null as soon as it is too long. An aborted one is dropped. */
function readBody(request: IncomingMessage, done: (body: string | null) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk)
    else if (bytes - chunk.length <= MAX_BODY_BYTES) done(null)
  })
  request.on('end', () => {
    if (bytes <= MAX_BODY_BYTES) done(Buffer.concat(chunks).toString())
  })
  request.on('error', () => undefined)
}
