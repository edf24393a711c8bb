/**
 * An HTTP proxy between the processor and the queue. It causes the trouble of
 * queue-trouble.ts and sees every call.
 *
 * Shapes  AWS JSON 1.0: the operation is in `x-amz-target`, input and output are JSON
 *         bodies.
 * Errors  a queue that cannot be reached is HTTP 502.
 */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { listenHere } from '../../engine/http/listen.js'
import {
  type BatchAnswer,
  type BatchEntry,
  judgeCall,
  pickFailing,
  type Trouble,
  withFailures
} from './queue-trouble.js'

export interface SeenMessage {
  readonly MessageId: string
  readonly ReceiptHandle: string
  readonly Body: string
  readonly Attributes?: { readonly ApproximateReceiveCount?: string }
}

export interface QueueProxyOptions {
  /** The queue's endpoint. */
  readonly target: string
  readonly random: () => number
  /** Called with messages on their way to the processor. */
  readonly onReceived: (messages: readonly SeenMessage[]) => void
  /**
   * Called with deletes on their way to the queue; they are passed on when it resolves.
   */
  readonly beforeDelete: (receiptHandles: readonly string[]) => Promise<void>
}

export interface QueueProxy {
  readonly endpoint: string
  trouble: Trouble | null
  /** All calls, answered or not. */
  readonly calls: number
  /** Receives that were answered with success. */
  readonly receivesAnswered: number
  close(): Promise<void>
}

interface Call {
  readonly operation: string
  readonly incoming: IncomingMessage
  readonly body: string
  readonly reply: ServerResponse
}

interface Answer {
  readonly status: number
  readonly body: string
}

const CONTENT_TYPE = 'application/x-amz-json-1.0'
/**
 * Longer than any pause of the processor. A connection closing during a call would be an
 * unplanned fault.
 */
const KEEP_ALIVE_MS = 120_000
const PASSED_ON = [
  'content-type',
  'x-amz-target',
  'x-amzn-query-mode',
  'authorization',
  'x-amz-date'
] as const

export async function startQueueProxy(options: QueueProxyOptions): Promise<QueueProxy> {
  const { target, random, onReceived, beforeDelete } = options
  const agent = new Agent({ keepAlive: true })
  let trouble: Trouble | null = null
  let calls = 0
  let receivesAnswered = 0
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (incoming, reply) => {
    const operation = String(incoming.headers['x-amz-target']).replace('AmazonSQS.', '')
    readAll(incoming)
      .then(body => handle({ operation, incoming, body, reply }))
      .catch(() => reply.destroy())
  })

  async function handle(call: Call): Promise<void> {
    const { operation, reply } = call
    calls += 1
    const verdict = judgeCall(trouble, operation, random)
    if (verdict === 'hang') return
    if (typeof verdict === 'object') {
      const { status, code } = verdict
      send(reply, {
        status,
        body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message: 'chaos' })
      })
      return
    }
    const answer = verdict === 'fail-entries' ? await deleteSome(call) : await pass(call)
    if (verdict === 'lose-answer') {
      reply.destroy()
      return
    }
    if (operation === 'ReceiveMessage' && answer.status === 200) {
      onReceived(
        (JSON.parse(answer.body) as { readonly Messages?: readonly SeenMessage[] }).Messages ?? []
      )
      receivesAnswered += 1
    }
    send(reply, answer)
  }

  async function pass(call: Call): Promise<Answer> {
    if (call.operation === 'DeleteMessageBatch') await beforeDelete(handlesIn(call.body))
    return forward(call)
  }

  async function deleteSome(call: Call): Promise<Answer> {
    const input = JSON.parse(call.body) as { readonly Entries: readonly BatchEntry[] }
    const share = trouble?.kind === 'partial-deletes' ? trouble.share : 0
    const { failing, forwarded } = pickFailing(input.Entries, share, random)
    const passed = { ...call, body: JSON.stringify({ ...input, Entries: forwarded }) }
    const answer = forwarded.length === 0 ? { status: 200, body: '{}' } : await pass(passed)
    if (answer.status !== 200) return answer
    return {
      status: 200,
      body: JSON.stringify(withFailures(JSON.parse(answer.body) as BatchAnswer, failing))
    }
  }

  function forward({ incoming, body, reply }: Call): Promise<Answer> {
    const headers: Record<string, string> = { 'content-length': String(Buffer.byteLength(body)) }
    for (const name of PASSED_ON) {
      const value = incoming.headers[name]
      if (typeof value === 'string') headers[name] = value
    }
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(incoming.url ?? '/', target),
        { method: 'POST', agent, headers },
        answer => {
          readAll(answer).then(
            text => resolve({ status: answer.statusCode ?? 502, body: text }),
            reject
          )
        }
      )
      outgoing.once('error', reject)
      // The caller has gone. Its long poll would still take messages if it went on.
      reply.once('close', () => {
        if (!reply.writableFinished) outgoing.destroy()
      })
      outgoing.end(body)
    })
  }

  const { origin } = await listenHere(server)
  return {
    endpoint: origin,
    get trouble() {
      return trouble
    },
    set trouble(next) {
      trouble = next
    },
    get calls() {
      return calls
    },
    get receivesAnswered() {
      return receivesAnswered
    },
    close() {
      agent.destroy()
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    }
  }
}

function send(reply: ServerResponse, { status, body }: Answer): void {
  if (reply.destroyed) return
  reply
    .writeHead(status, { 'content-type': CONTENT_TYPE, 'content-length': Buffer.byteLength(body) })
    .end(body)
}

function handlesIn(body: string): readonly string[] {
  return (JSON.parse(body) as { readonly Entries: readonly BatchEntry[] }).Entries.map(
    entry => entry.ReceiptHandle
  )
}

async function readAll(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
