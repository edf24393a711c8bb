/**
 * Makes a server listen, and returns where.
 *
 * Errors  an address that cannot be used, such as a taken port, is an ExpectedError with
 *         the remedy.
 */
import type { AddressInfo, Server } from 'node:net'
import { ExpectedError } from '../lifecycle/service.js'

export interface ListenOptions {
  readonly host: string
  /** 0: a free one. */
  readonly port: number
  /** What to do about a port that is taken, such as `set METRICS_PORT to another one`. */
  readonly remedy: string
}

export interface Bound {
  readonly port: number
  /** For example `http://127.0.0.1:9464`. */
  readonly origin: string
}

const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another program',
  EACCES: 'needs privileges',
  EADDRNOTAVAIL: 'is not an address of this machine'
}

export function listen(server: Server, { host, port, remedy }: ListenOptions): Promise<Bound> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      const { code = error.message } = error
      const why = WHY[code] ?? `cannot be used (${code})`
      reject(new ExpectedError(`${host}:${port} ${why}: ${remedy}`))
    }
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      const bound = server.address() as AddressInfo
      const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
      resolve({ port: bound.port, origin: `http://${name}:${bound.port}` })
    })
  })
}

/** Listens on a free port that only this machine can reach. */
export function listenHere(server: Server): Promise<Bound> {
  return listen(server, { host: '127.0.0.1', port: 0, remedy: 'end another program' })
}
