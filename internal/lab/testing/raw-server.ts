/**
 * A TCP server on loopback that says to each connection what the test wants, HTTP or not.
 */

import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'

export interface RawServer {
  readonly port: number
  /** In the order in which they came. */
  readonly sockets: readonly Socket[]
  readonly server: Server
}

export async function startRawServer(
  t: { teardown(fn: () => Promise<void>): void },
  talk: (socket: Socket) => void
): Promise<RawServer> {
  const sockets: Socket[] = []
  const server = createServer(socket => {
    sockets.push(socket)
    // Whoever hangs up on it does so on purpose.
    socket.on('error', () => undefined)
    talk(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(
    () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
  )
  return { port: (server.address() as AddressInfo).port, sockets, server }
}
