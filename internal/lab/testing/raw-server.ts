/**
 * A TCP server on loopback that sends each connection what the test wants, HTTP or not.
 */

import { createServer, type Server, type Socket } from 'node:net'
import { listenHere } from '../../engine/http/listen.js'

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
    // Clients hang up on purpose.
    socket.on('error', () => undefined)
    talk(socket)
  })
  const { port } = await listenHere(server)
  t.teardown(
    () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
  )
  return { port, sockets, server }
}
