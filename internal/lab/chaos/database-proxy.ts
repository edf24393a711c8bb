/**
 * A TCP proxy between a program and PostgreSQL that breaks connections as networks do. It
 * keeps its own port for the whole run. `target` is the server's current address, null
 * while there is none; then new connections are reset, as by a closed port.
 *
 * Units   milliseconds.
 * Errors  none: breaking connections is its job.
 */
import { connect, createServer, type Socket } from 'node:net'
import { listenHere } from '../../engine/http/listen.js'
import { DelayLine } from './delay-line.js'
import { reset } from './reset.js'
import { ServerMessages } from './server-messages.js'

/**
 * Where the next cuts are made: after a number of messages on a connection, or in place
 * of the answers to COMMIT.
 */
export type Cut =
  | { readonly at: 'message'; readonly number: number }
  | { readonly at: 'commit'; times: number }

export interface DatabaseProxy {
  readonly port: number
  target: number | null
  /** The most for each packet, in both directions; the least is half of it. */
  latencyMs: number
  /** Null: no cuts. A connection is cut once. */
  cut: Cut | null
  /** Called, once, when the next COMMIT has succeeded, before the answer is passed on. */
  onCommit: (() => void) | null
  /** Cuts made so far. */
  readonly cuts: { message: number; commit: number }
  resetAll(): void
  halfCloseAll(): void
  /**
   * From now on all connections, and new ones until `heal`, silently lose whatever is
   * sent.
   */
  loseAll(): void
  heal(): void
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
const COMMIT = 'COMMIT'
/**
 * When the server's end of a lost connection is closed. The server has ended the
 * abandoned transaction before that.
 */
const LOST_END_MS = 15_000

export async function startDatabaseProxy(random: () => number): Promise<DatabaseProxy> {
  const links = new Set<Link>()
  let isHole = false
  const server = createServer({ allowHalfOpen: true, noDelay: true }, client => {
    client.on('error', () => undefined)
    if (proxy.target === null) {
      reset(client)
      return
    }
    const link = new Link(client, proxy.target, proxy, random, () => links.delete(link))
    links.add(link)
    if (isHole) link.lose()
  })
  const { port } = await listenHere(server)
  const proxy: DatabaseProxy = {
    port,
    target: null,
    latencyMs: 0,
    cut: null,
    onCommit: null,
    cuts: { message: 0, commit: 0 },
    resetAll() {
      for (const link of links) link.reset()
    },
    halfCloseAll() {
      for (const link of links) link.halfClose()
    },
    loseAll() {
      isHole = true
      for (const link of links) link.lose()
    },
    heal() {
      isHole = false
    },
    close() {
      for (const link of links) link.reset()
      return new Promise(resolve => server.close(() => resolve()))
    }
  }
  return proxy
}

/** What a direction carries: bytes, or null for its end. */
type Packet = Buffer | null

class Link {
  readonly #client: Socket
  readonly #upstream: Socket
  readonly #proxy: DatabaseProxy
  readonly #random: () => number
  readonly #messages = new ServerMessages()
  #isLost = false
  #messagesSeen = 0
  #watchedCut: Cut | null = null

  constructor(
    client: Socket,
    port: number,
    proxy: DatabaseProxy,
    random: () => number,
    onGone: () => void
  ) {
    this.#client = client
    this.#upstream = connect({ host: LOOPBACK, port, allowHalfOpen: true, noDelay: true })
    this.#proxy = proxy
    this.#random = random
    this.#carry(client, this.#upstream, packet => packet)
    this.#carry(this.#upstream, client, packet => this.#fromServer(packet))
    this.#upstream.on('error', () => undefined)
    client.once('close', () => {
      if (!this.#isLost) this.#upstream.destroy()
    })
    this.#upstream.once('close', () => {
      onGone()
      if (!this.#isLost) this.reset()
    })
  }

  reset(): void {
    reset(this.#client)
    reset(this.#upstream)
  }

  /** Closes the stream from server to client. The server notices nothing. */
  halfClose(): void {
    this.#client.end()
  }

  lose(): void {
    if (this.#isLost) return
    this.#isLost = true
    setTimeout(() => this.reset(), LOST_END_MS).unref()
  }

  #carry(from: Socket, to: Socket, filter: (packet: Packet) => Packet): void {
    const line = new DelayLine<Packet>(packet => {
      if (this.#isLost || to.destroyed || !to.writable) return
      const passed = filter(packet)
      if (passed === null) to.end()
      else if (passed.length > 0 && !to.write(passed)) {
        from.pause()
        to.once('drain', () => from.resume())
      }
    })
    from.on('data', (chunk: Buffer) => line.push(chunk, this.#delayMs()))
    from.once('end', () => line.push(null, this.#delayMs()))
  }

  #delayMs(): number {
    const { latencyMs } = this.#proxy
    return latencyMs === 0 ? 0 : (latencyMs / 2) * (1 + this.#random())
  }

  #fromServer(packet: Packet): Packet {
    if (packet === null) return null
    const cut = this.#proxy.cut
    if (cut !== this.#watchedCut) {
      this.#watchedCut = cut
      this.#messagesSeen = 0
    }
    for (const { tag, startsAt } of this.#messages.feed(packet)) {
      this.#messagesSeen += 1
      if (tag === COMMIT) this.#tellOfCommit()
      if (cut === null || !this.#isDue(cut, tag)) continue
      this.#client.write(packet.subarray(0, startsAt))
      this.reset()
      return Buffer.alloc(0)
    }
    return packet
  }

  #tellOfCommit(): void {
    const tell = this.#proxy.onCommit
    this.#proxy.onCommit = null
    tell?.()
  }

  #isDue(cut: Cut, tag: string): boolean {
    const { cuts } = this.#proxy
    if (cut.at === 'message') {
      if (this.#messagesSeen !== cut.number) return false
      cuts.message += 1
      return true
    }
    if (tag !== COMMIT || cut.times === 0) return false
    cut.times -= 1
    cuts.commit += 1
    return true
  }
}
