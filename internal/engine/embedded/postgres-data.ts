/**
 * The data directory of the embedded PostgreSQL: its owner, and its creation.
 *
 * Errors  EmbeddedError, one sentence each.
 * Source  PostgreSQL manual: `initdb`.
 */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chownSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { EmbeddedError } from './embedded-error.js'
import { identity, pathFor, type RunUser } from './run-user.js'
import { explainSpawn, serverEnvironment } from './server-process.js'

export interface PostgresPlace {
  readonly dataDir: string
  readonly dataPath: string
  readonly user: RunUser | null
  /** The directory of its programs. */
  readonly native: string
  readonly database: string
  /** For `postgres -c`. */
  readonly settings: Readonly<Record<string, string>>
}

export const USER = 'postgres'
const run = promisify(execFile)

export function assertOurs(dataPath: string): void {
  const uid = process.getuid?.()
  const owner = statSync(dataPath, { throwIfNoEntry: false })?.uid
  if (uid === undefined || uid === 0 || owner === undefined || owner === uid) return
  throw new EmbeddedError(
    'data-not-ours',
    `${dataPath} belongs to another user (uid ${owner}): start as that user or as root, or remove it.`
  )
}

/**
 * Creates the data directory under another name and renames it when it is complete, so
 * that a killed start leaves nothing half-made.
 */
export async function initialize(place: PostgresPlace): Promise<void> {
  for (const name of readdirSync(place.dataDir)) {
    if (name.startsWith('postgres.draft-'))
      rmSync(join(place.dataDir, name), { recursive: true, force: true })
  }
  const draft = join(place.dataDir, `postgres.draft-${randomUUID()}`)
  mkdirSync(draft, { mode: 0o700 })
  try {
    if (place.user !== null) chownSync(draft, place.user.uid, place.user.gid)
    // A server that does not sync to the disk needs no synced data.
    const sync = place.settings['fsync'] === 'off' ? ['--no-sync'] : []
    // The builtin locale is the same on every machine, and needs none of the system's.
    const locale = [
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8'
    ]
    const args = [
      '-D',
      pathFor(place.user, draft),
      '-U',
      USER,
      '--auth=trust',
      '--no-instructions',
      ...locale,
      ...sync
    ]
    await run(join(place.native, 'bin', 'initdb'), args, {
      cwd: draft,
      env: serverEnvironment(),
      ...identity(place.user)
    })
    renameSync(draft, place.dataPath)
  } catch (error) {
    const said = /(?:error|FATAL): +(.*)/.exec((error as { stderr?: string }).stderr ?? '')?.[1]
    const detail = said ?? (error as Error).message
    throw new EmbeddedError(
      'start-failed',
      `PostgreSQL could not create its data in ${place.dataDir}: ${explainSpawn(error) ?? detail}`,
      error
    )
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
