/**
 * Data directories for test servers, with our tables in their database from the start.
 *
 * Creating and migrating one takes seconds. So it is done once per checkout and version
 * of the tables, and each test gets a copy, in memory if the machine has room.
 */
import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { migrateEvents } from '../../systems/events/store/migrate.js'
import { startTestPostgres } from './test-postgres.js'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const CACHE = join(ROOT, 'node_modules', '.cache', 'test-postgres')
/** The files that determine the data: when one changes, the data is created again. */
const MADE_BY = [
  'package.json',
  'internal/engine/embedded',
  'internal/systems/events/store/migrations'
]
const MEMORY = '/dev/shm'
/** A server may write up to a gigabyte ahead of its tables, and two run at once. */
const MEMORY_MIN_BYTES = 4 * 1024 ** 3

/**
 * A data directory of an embedded server for one test, without a server; removed when the
 * test has ended.
 */
export async function createPostgresData(t: Teardown): Promise<string> {
  const prepared = await prepare()
  const dataDir = await mkdtemp(join(temporaryPlace(), 'event-process-test-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  await copy(join(prepared, 'postgres'), dataDir)
  return dataDir
}

/** `cp` keeps the owner, which is not root if the server is not. */
const copy = (from: string, into: string): Promise<unknown> =>
  promisify(execFile)('cp', ['-Rp', from, into])

function temporaryPlace(): string {
  if (!existsSync(MEMORY)) return tmpdir()
  const { bavail, bsize } = statfsSync(MEMORY)
  return bavail * bsize >= MEMORY_MIN_BYTES ? MEMORY : tmpdir()
}

/** Two processes may prepare at once: the slower one uses the faster one's result. */
async function prepare(): Promise<string> {
  const key = keyOf(MADE_BY)
  const path = join(CACHE, key)
  if (existsSync(path)) return path
  await mkdir(CACHE, { recursive: true })
  for (const name of await readdir(CACHE))
    if (!name.startsWith(key)) await rm(join(CACHE, name), { recursive: true, force: true })
  const draft = `${path}.${randomUUID()}`
  try {
    const server = await startTestPostgres({ dataDir: draft, port: 0 })
    try {
      await migrateEvents(server.connectionString)
    } finally {
      await server.stop()
    }
    await rename(draft, path)
  } catch (error) {
    if (!existsSync(path)) throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return path
}

/** Includes the user: only the user who created the data can read it. */
function keyOf(names: readonly string[]): string {
  const sum = createHash('sha256').update(String(process.getuid?.()))
  for (const file of names.flatMap(filesBelow)) sum.update(readFileSync(join(ROOT, file)))
  return sum.digest('hex').slice(0, 16)
}

function filesBelow(name: string): readonly string[] {
  if (name.endsWith('.json')) return [name]
  return readdirSync(join(ROOT, name))
    .toSorted()
    .map(file => join(name, file))
}
