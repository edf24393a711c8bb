/**
 * Breaks a connection as networks do: the other end gets a reset (RST), and unsent data
 * is lost. A connection that has already been ended is closed instead: there may be
 * nothing left to reset.
 *
 * Source  libuv `uv_tcp_close_reset`: refuses a socket while its shutdown is under way.
 *         Node treats a refused socket as closed: it emits no `close`, and the process
 *         spins for ever at exit. Node's `resetAndDestroy` waits for such a shutdown, and
 *         any error or `destroy` meanwhile causes just that. So this waits for nothing.
 */
import type { Socket } from 'node:net'

export function reset(socket: Socket): void {
  if (!socket.writableEnded) socket.resetAndDestroy()
  socket.destroy()
}
