/**
 * A stream of random numbers that a seed reproduces: a keyed cipher over zeros, so that a
 * million event ids of one run never collide.
 */
import { createCipheriv, createHash, randomUUID } from 'node:crypto'

export interface Random {
  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number
  /** A version 4 UUID. */
  uuid(): string
}

const CHUNK = Buffer.alloc(4096)

export function createRandom(seed: string = randomUUID()): Random {
  const key = createHash('sha256').update(seed).digest()
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  let chunk = cipher.update(CHUNK)
  let at = 0

  const take = (bytes: number): number => {
    if (at + bytes > chunk.length) {
      chunk = cipher.update(CHUNK)
      at = 0
    }
    at += bytes
    return at - bytes
  }

  return {
    below(limit) {
      const from = take(4)
      return Math.floor((chunk.readUInt32LE(from) / 0x1_0000_0000) * limit)
    },
    uuid() {
      const from = take(16)
      const bytes = chunk.subarray(from, from + 16)
      bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
      bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
      const hex = bytes.toString('hex')
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    }
  }
}
