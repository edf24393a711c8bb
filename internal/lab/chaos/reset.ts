/**
 * Breaks a connection as networks do: the other end hears a reset (RST), whatever was
 * still to be sent is gone.
 *
 * Shapes  a connection whose end has been said already is closed instead: there may be
 *         nothing left to reset.
 * Source  libuv `uv_tcp_close_reset`: refuses a socket while its shutdown is under way.
 *         Node takes a refused one for closed: no `close`, and a process that spins for
 *         ever at its end. Node's `resetAndDestroy` waits for such a shutdown, in which
 *         an error or a `destroy` of anybody brings that about; so nothing is waited for
 *         here.
 */
import type { Socket } from 'node:net'

export function reset(socket: Socket): void {
  if (!socket.writableEnded) socket.resetAndDestroy()
  socket.destroy()
}
