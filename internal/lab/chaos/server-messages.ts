/**
 * Finds the messages in what a PostgreSQL server sends, so that a connection can be cut
 * at one of them.
 *
 * Shapes  network chunks in; out come the messages that end in each chunk. `startsAt` is
 *         the message's first byte within that chunk, 0 when it began in an earlier one.
 * Source  PostgreSQL manual, "Message Formats": a type byte, then the length as an int32
 *         that counts itself but not the type. Only for connections without TLS, where no
 *         single-byte answer comes first.
 */
export interface ServerMessage {
  readonly type: string
  /** Of CommandComplete, e.g. `COMMIT`; empty for other messages. */
  readonly tag: string
  readonly startsAt: number
}

const HEADER_BYTES = 5
const LENGTH_BYTES = 4
const COMMAND_COMPLETE = 'C'

export class ServerMessages {
  #header = Buffer.alloc(0)
  #bodyLeft = 0
  #tag = ''

  feed(chunk: Buffer): readonly ServerMessage[] {
    const found: ServerMessage[] = []
    let startsAt = 0
    for (let at = 0; at < chunk.length; ) {
      if (this.#header.length < HEADER_BYTES) {
        if (this.#header.length === 0) startsAt = at
        const part = chunk.subarray(at, at + HEADER_BYTES - this.#header.length)
        this.#header = Buffer.concat([this.#header, part])
        at += part.length
        if (this.#header.length < HEADER_BYTES) break
        this.#bodyLeft = this.#header.readInt32BE(1) - LENGTH_BYTES
        this.#tag = ''
      }
      const type = String.fromCharCode(this.#header.readUInt8(0))
      const body = chunk.subarray(at, at + this.#bodyLeft)
      if (type === COMMAND_COMPLETE) this.#tag += body.toString('latin1')
      at += body.length
      this.#bodyLeft -= body.length
      if (this.#bodyLeft > 0) break
      found.push({ type, tag: this.#tag.replace(/\0$/, ''), startsAt })
      this.#header = Buffer.alloc(0)
    }
    return found
  }
}
