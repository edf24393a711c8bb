/**
 * A DNS server on loopback that knows the records a test gives it.
 *
 * A name has addresses, or the name that it is an alias for, or it is `silent` and never
 * gets an answer. Any other name does not exist. Like a resolver, it puts the whole chain
 * of aliases into one answer.
 *
 * Source  RFC 1035 section 4, RFC 3596: one question per query, names in answers written
 *         out.
 */
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'

export type StubRecord = readonly string[] | { readonly alias: string } | 'silent'

const A = 1
const CNAME = 5
const AAAA = 28
const HEADER_BYTES = 12
const NOT_FOUND = 3
/** Even a busy machine answers within this time. */
const SILENCE_MS = 1_000

/** Starts it, with a resolver that asks only this server. */
export async function startStubDns(
  t: { teardown(fn: () => Promise<void>): void },
  records: Readonly<Record<string, StubRecord>>
): Promise<Resolver> {
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => {
    const answer = answerTo(query, records)
    if (answer !== null) socket.send(answer, port, address)
  })
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise<void>(resolve => socket.close(() => resolve())))
  const resolver = new Resolver({ timeout: SILENCE_MS, tries: 1 })
  resolver.setServers([`127.0.0.1:${socket.address().port}`])
  return resolver
}

function answerTo(query: Buffer, records: Readonly<Record<string, StubRecord>>): Buffer | null {
  const { name, end } = readName(query, HEADER_BYTES)
  const type = query.readUInt16BE(end)
  const answers: Buffer[] = []
  let owner = name
  let record = records[owner]
  while (record !== undefined && typeof record === 'object' && 'alias' in record) {
    answers.push(recordOf(owner, CNAME, writeName(record.alias)))
    owner = record.alias
    record = records[owner]
  }
  if (record === 'silent') return null
  for (const address of Array.isArray(record) ? (record as readonly string[]) : []) {
    const isIpv6 = address.includes(':')
    if (type === (isIpv6 ? AAAA : A))
      answers.push(
        recordOf(
          owner,
          type,
          isIpv6 ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number))
        )
      )
  }
  const header = Buffer.alloc(HEADER_BYTES)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8180 | (record === undefined ? NOT_FOUND : 0), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(answers.length, 6)
  return Buffer.concat([header, query.subarray(HEADER_BYTES, end + 4), ...answers])
}

function readName(bytes: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = start
  for (let length = bytes.readUInt8(at); length > 0; length = bytes.readUInt8(at)) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}

function writeName(name: string): Buffer {
  return Buffer.concat([
    ...name.split('.').map(label => Buffer.from([label.length, ...Buffer.from(label, 'latin1')])),
    Buffer.from([0])
  ])
}

function recordOf(owner: string, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([writeName(owner), fixed, data])
}

/** Written with all eight groups. */
function ipv6Bytes(address: string): Buffer {
  return Buffer.from(
    address
      .split(':')
      .map(group => group.padStart(4, '0'))
      .join(''),
    'hex'
  )
}
