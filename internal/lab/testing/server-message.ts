/** A message as a PostgreSQL server sends it: its type, its length, its body. */
export function serverMessage(type: string, body = ''): Buffer {
  const header = Buffer.alloc(5)
  header.write(type, 'latin1')
  header.writeInt32BE(Buffer.byteLength(body) + 4, 1)
  return Buffer.concat([header, Buffer.from(body)])
}
