/**
 * Chooses the user that runs the embedded PostgreSQL, and checks what it can reach.
 *
 * Shapes  RunUser: null means "as ourselves". Only root needs another, existing user: the
 *         server refuses to run as root, and this project creates no users.
 * Source  POSIX: entering a path needs the execute bit of every directory above it.
 */
import { readFileSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { EmbeddedError } from './embedded-error.js'

export interface RunUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** The first of these that exists; else any account with a uid of its own. */
const PREFERRED = ['nobody', 'postgres', 'daemon']

/** Picks the unprivileged user from the text of a passwd file. */
export function pickRunUser(passwd: string): RunUser {
  const users: RunUser[] = []
  for (const line of passwd.split('\n')) {
    const [name = '', , uid = '', gid = ''] = line.split(':')
    if (name.startsWith('#') || !/^[1-9]\d*$/.test(uid) || !/^\d+$/.test(gid)) continue
    users.push({ name, uid: Number(uid), gid: Number(gid) })
  }
  for (const name of PREFERRED) {
    const user = users.find(candidate => candidate.name === name)
    if (user !== undefined) return user
  }
  const [first] = users
  if (first !== undefined) return first
  throw new EmbeddedError(
    'no-run-user',
    'PostgreSQL does not run as root and /etc/passwd has no other user: start as an ordinary user, or set DB_CONNECTION to your own server.'
  )
}

/**
 * Null unless we are root. Existing data keeps its owner, so that data from a first start
 * without root stays usable.
 */
export function runUser(ownedPath: string): RunUser | null {
  if (process.getuid?.() !== 0) return null
  const owner = statSync(ownedPath, { throwIfNoEntry: false })
  if (owner !== undefined && owner.uid !== 0)
    return { name: `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid }
  return pickRunUser(readFileSync('/etc/passwd', 'utf8'))
}

/**
 * True where `user` may enter every directory above `path` and has `bits` (4 read, 1
 * execute or enter) on `path` itself.
 */
export function canReach(user: RunUser | null, path: string, bits: number): boolean {
  if (user === null) return true
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined || !allows(stats, user, bits)) return false
  let directory = realpathSync(path)
  while (directory !== dirname(directory)) {
    directory = dirname(directory)
    if (!allows(statSync(directory), user, 1)) return false
  }
  return true
}

function allows(stats: Stats, user: RunUser, bits: number): boolean {
  const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0
  return ((stats.mode >> shift) & bits) === bits
}

/**
 * The path by which the server finds its data. If a directory above is closed to its
 * user, no ordinary path leads there; its working directory stays open to it, and Linux
 * has a path for that.
 */
export function pathFor(user: RunUser | null, directory: string): string {
  return process.platform === 'linux' && !canReach(user, directory, 1)
    ? '/proc/self/cwd'
    : directory
}

export function identity(user: RunUser | null): { uid?: number; gid?: number } {
  return user === null ? {} : { uid: user.uid, gid: user.gid }
}
