/**
 * The embedded queue's own process: sqs.ts starts it with the arguments
 * `[port, dataDir?]`; it reports over its IPC channel and ends with it. Without a dataDir
 * everything is in memory.
 *
 * Errors  reported, then exit code 1.
 * Source  fauxqs 2.4.1, whose exported server listens on every interface, puts
 *         sqs.<region>.localhost (a name that many systems do not resolve) into queue
 *         URLs, and loses a message that is made visible at once while its state is kept
 *         on disk. So this file assembles its parts. It must not import another file of
 *         ours: it also runs from its source.
 */
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildApp } from 'fauxqs'

/** What the process reports to its parent, once. */
export type SqsServerReport =
  | { readonly port: number }
  | { readonly code: string; readonly message: string }

type Stores = NonNullable<NonNullable<Parameters<typeof buildApp>[0]>['stores']>
type SqsStore = Stores['sqsStore']
type SqsQueue = ReturnType<SqsStore['createQueue']>
type SqsMessage = SqsQueue['messages'][number]
type Persistence = NonNullable<SqsStore['persistence']>
interface Sqlite {
  exec(sql: string): void
  prepare(sql: string): { run(...parameters: readonly string[]): unknown }
}

const LOOPBACK = '127.0.0.1'
const ACCOUNT = '000000000000'
const LOCKED_RETRY_MS = 50
const LOCKED_TRIES = 200

async function serve(wantedPort: number, dataDir: string | undefined): Promise<number> {
  const { SqsStore } = await part<{ SqsStore: new () => SqsStore }>('sqs/sqsStore.js')
  const { SnsStore } = await part<{ SnsStore: new () => Stores['snsStore'] }>('sns/snsStore.js')
  const { S3Store } = await part<{ S3Store: new () => Stores['s3Store'] }>('s3/s3Store.js')
  let port = wantedPort

  /** One namespace for all regions, and URLs that need no name resolution. */
  class LoopbackStore extends SqsStore {
    override buildQueueUrl(queueName: string): string {
      return `http://${LOOPBACK}:${port}/${ACCOUNT}/${queueName}`
    }

    override createQueue(...[name, , ...rest]: Parameters<SqsStore['createQueue']>): SqsQueue {
      return withFairTurns(super.createQueue(name, this.buildQueueUrl(name), ...rest))
    }

    override getQueue(url: string): SqsQueue | undefined {
      return this.getQueueByName(basename(url))
    }

    override getQueueByArn(arn: string): SqsQueue | undefined {
      return this.getQueueByName(arn.slice(arn.lastIndexOf(':') + 1))
    }
  }

  const sqsStore = new LoopbackStore()
  const stores = { sqsStore, snsStore: new SnsStore(), s3Store: new S3Store() }
  const app = buildApp({ logger: false, stores })
  app.addHook('preHandler', (request, _, done) => {
    noteGroups(request.body)
    done()
  })
  const persistence = dataDir === undefined ? undefined : await openPersistence(dataDir)
  await app.listen({ port, host: LOOPBACK })
  const address = app.server.address()
  if (address !== null && typeof address === 'object') port = address.port
  if (persistence !== undefined) {
    persistence.load(sqsStore, stores.snsStore, stores.s3Store)
    sqsStore.persistence = persistence
    for (const queue of sqsStore.allQueues()) queue.persistence = persistence
  }
  const close = () => {
    void app.close().finally(() => {
      persistence?.close()
      process.exit(0)
    })
  }
  // However the parent ends, the channel closes; it may have closed already.
  process.once('disconnect', close)
  process.once('SIGTERM', close)
  if (!process.connected) close()
  return port
}

const LOOK_FOR_EXPIRED_EVERY_MS = 20
const SPENT_BEFORE_CUT = 10_000

/** A queue with a constant cost of taking the first; an array would move all the rest. */
class Line<T> {
  #items: T[] = []
  #spent = 0

  get length(): number {
    return this.#items.length - this.#spent
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.#items[this.#spent]
    this.#spent += 1
    if (this.#spent >= SPENT_BEFORE_CUT && this.#spent * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#spent)
      this.#spent = 0
    }
    return item
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.#spent; at < this.#items.length; at += 1) yield this.#items[at] as T
  }
}

/**
 * The waiting messages. Their groups take turns, as in a fair queue of SQS: one line per
 * group, one message per turn; messages without a group are one group. A step has the
 * same cost for any number of messages and groups.
 */
class Waiting {
  readonly #lines = new Map<string | undefined, Line<SqsMessage>>()
  /** The groups with messages, next one first. */
  readonly #turns = new Line<string | undefined>()
  #length = 0

  constructor(messages: Iterable<SqsMessage>) {
    for (const message of messages) this.push(message)
  }

  get length(): number {
    return this.#length
  }

  push(message: SqsMessage): void {
    const group = message.messageGroupId
    let line = this.#lines.get(group)
    if (line === undefined) {
      line = new Line()
      this.#lines.set(group, line)
      this.#turns.push(group)
    }
    line.push(message)
    this.#length += 1
  }

  shift(): SqsMessage | undefined {
    if (this.#length === 0) return undefined
    const group = this.#turns.shift()
    const line = this.#lines.get(group)
    const message = line?.shift()
    if (line !== undefined && line.length > 0) this.#turns.push(group)
    else this.#lines.delete(group)
    this.#length -= 1
    return message
  }

  *[Symbol.iterator](): Iterator<SqsMessage> {
    for (const line of this.#lines.values()) yield* line
  }
}

/**
 * fauxqs drops the group of a message on a standard queue. It keeps the entry's attribute
 * object, so we look the group up by that.
 */
const groups = new WeakMap<object, string>()

function noteGroups(body: unknown): void {
  const entries = (body as { readonly Entries?: unknown } | null)?.Entries ?? [body]
  if (!Array.isArray(entries)) return
  for (const entry of entries as (
    | { MessageGroupId?: unknown; MessageAttributes?: unknown }
    | null
    | undefined
  )[]) {
    if (typeof entry?.MessageGroupId !== 'string') continue
    entry.MessageAttributes ??= {}
    if (typeof entry.MessageAttributes === 'object')
      groups.set(entry.MessageAttributes as object, entry.MessageGroupId)
  }
}

/**
 * Hands out messages in fair turns between their groups. It also saves fauxqs a walk over
 * all waiting messages, and one over all in flight, at each receive.
 */
function withFairTurns(queue: SqsQueue): SqsQueue {
  const enqueue = queue.enqueue.bind(queue)
  queue.enqueue = message => {
    const group = groups.get(message.messageAttributes)
    if (group !== undefined) message.messageGroupId = group
    enqueue(message)
  }
  let waiting = new Waiting(queue.messages)
  Object.defineProperty(queue, 'messages', {
    get: () => waiting,
    set: (messages: Iterable<SqsMessage>) => {
      waiting = new Waiting(messages)
    }
  })
  const bringBackExpired = queue.processTimers.bind(queue)
  let lookedAtMs = 0
  queue.processTimers = () => {
    const nowMs = Date.now()
    if (nowMs >= lookedAtMs && nowMs - lookedAtMs < LOOK_FOR_EXPIRED_EVERY_MS) return
    lookedAtMs = nowMs
    bringBackExpired()
  }
  return queue
}

/** A module that fauxqs does not export; safe because its version is pinned. */
async function part<Module>(path: string): Promise<Module> {
  const root = dirname(fileURLToPath(import.meta.resolve('fauxqs')))
  return (await import(pathToFileURL(join(root, path)).href)) as Module
}

async function openPersistence(dataDir: string): Promise<Persistence> {
  const { PersistenceManager } = await part<{
    PersistenceManager: new (dataDir: string) => Persistence
  }>('persistence.js')

  /**
   * Puts all writes of one request in one transaction. The commit runs before the answer
   * is sent: the first write queues its microtask ahead of the one that sends.
   */
  class RequestPersistence extends PersistenceManager {
    readonly #db: Sqlite
    #isOpen = false

    constructor(directory: string) {
      super(directory)
      this.#db = (this as unknown as { db: Sqlite }).db
      // The state in memory is the truth; a second process on this file would not see it.
      this.#db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT')
      // Survives a kill -9 of every process; only a machine failure can lose the last
      // moments.
      this.#db.exec('PRAGMA synchronous = NORMAL')
    }

    #begin(): void {
      if (this.#isOpen) return
      this.#isOpen = true
      this.#db.exec('BEGIN')
      queueMicrotask(() => this.#commit())
    }

    #commit(): void {
      if (!this.#isOpen) return
      this.#isOpen = false
      this.#db.exec('COMMIT')
    }

    override insertMessage(...args: Parameters<Persistence['insertMessage']>): void {
      this.#begin()
      super.insertMessage(...args)
    }

    override updateMessageInflight(
      ...args: Parameters<Persistence['updateMessageInflight']>
    ): void {
      this.#begin()
      super.updateMessageInflight(...args)
    }

    /** fauxqs would set the receive count to NULL, which its own table refuses. */
    override updateMessageReady(messageId: string): void {
      this.#begin()
      this.#db
        .prepare(
          'UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?'
        )
        .run(messageId)
    }

    override deleteMessage(messageId: string): void {
      this.#begin()
      super.deleteMessage(messageId)
    }

    override close(): void {
      this.#commit()
      super.close()
    }
  }

  for (let tries = 1; ; tries += 1) {
    try {
      return new RequestPersistence(dataDir)
    } catch (error) {
      // The process of a killed run may not have ended yet.
      if (!(error as Error).message.includes('locked') || tries === LOCKED_TRIES) throw error
      await delay(LOCKED_RETRY_MS)
    }
  }
}

/** Ctrl-C is for the programs; they end this process when they have drained. */
process.on('SIGINT', () => undefined)
process.on('SIGHUP', () => undefined)
const [port = '0', dataDir] = process.argv.slice(2)
const report: SqsServerReport = await serve(Number(port), dataDir).then(
  port => ({ port }),
  (error: unknown) => ({
    code: (error as NodeJS.ErrnoException).code ?? 'unknown',
    message: (error as Error).message
  })
)
process.send?.(report, () => {
  if ('code' in report) process.exit(1)
})
