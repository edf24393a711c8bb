/** Checks whether a loopback port is free, and finds a free one. */
import { once } from 'node:events'
import { createServer } from 'node:net'

export const LOOPBACK = '127.0.0.1'

async function listen(port: number): Promise<number> {
  const server = createServer()
  server.listen({ port, host: LOOPBACK, exclusive: true })
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string')
    throw new Error('a TCP server has an address with a port')
  return address.port
}

/** A port that was free a moment ago: the caller must be ready to ask again. */
export function findFreePort(): Promise<number> {
  return listen(0)
}

export async function isPortFree(port: number): Promise<boolean> {
  try {
    await listen(port)
    return true
  } catch (error) {
    // EACCES: a port below 1024 as an ordinary user. It is not taken, but we cannot have
    // it.
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL') return false
    throw error
  }
}
