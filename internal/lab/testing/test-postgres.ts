/**
 * A PostgreSQL for tests: fast, not safe. However the test's process ends, the server and
 * its data are removed.
 */
import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../engine/embedded/postgres.js'
import { EMBEDDED_DATABASE } from '../../systems/base-config.js'

export interface TestPostgresOptions {
  readonly dataDir: string
  /** 0 takes any free port. */
  readonly port: number
}

/** A crash may lose everything. */
export const fastSettings = (): Readonly<Record<string, string>> => ({
  shared_buffers: '64MB',
  jit: 'off',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off'
})

export async function startTestPostgres(options: TestPostgresOptions): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({
    ...options,
    database: EMBEDDED_DATABASE,
    settings: fastSettings
  })
  const endGuard = guard(server.pid, options.dataDir)
  return {
    ...server,
    async stop() {
      await endGuard()
      await server.stop()
    }
  }
}

/** The pipe closes when this process ends, for whatever reason. */
const GUARD = `read -r _
kill -QUIT "$0"
while kill -0 "$0" 2>/dev/null; do sleep 0.1; done
rm -rf "$1"`

function guard(pid: number, dataDir: string): () => Promise<void> {
  const child = spawn('/bin/sh', ['-c', GUARD, String(pid), dataDir], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore']
  })
  child.unref()
  const pipe = child.stdin as Socket | null
  pipe?.unref()
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  return () => {
    child.ref()
    child.kill('SIGKILL')
    return exited
  }
}
