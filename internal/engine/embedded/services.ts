/**
 * Services for a machine that has none, shared by all programs with the same data
 * directory. Each program names the services that it needs. The program that started a
 * service ends it; others join it and leave it running. A service that a killed program
 * left behind is taken over.
 *
 * Shapes  <dataDir>/<name>.json says where a running service is and which program will
 *         end it.
 * Errors  EmbeddedError, one sentence each; a failed start ends what it began.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isAlive } from './process-alive.js'
import { withStartLock } from './start-lock.js'

/** Where a service is. */
export interface ServiceAddress {
  /** A connection string, or an endpoint. */
  readonly address: string
  readonly port: number
  readonly pid: number
}

export interface RunningService extends ServiceAddress {
  /** Resolves when it is gone. May be called twice. */
  stop(): Promise<void>
}

/** One kind of service: how to start it and how to recognise it. */
export interface EmbeddedService {
  /** Its name for people. */
  readonly title: string
  /** Takes over a service that a killed program left running in `dataDir`. */
  start(dataDir: string, log: (line: string) => void): Promise<RunningService>
  /** True if this service answers there, and not another one on its port. */
  answers(found: ServiceAddress): Promise<boolean>
}

/** Services by name; the name is that of the file in the data directory. */
export type EmbeddedServiceSet<Name extends string> = Readonly<Record<Name, EmbeddedService>>

export interface EmbeddedServices<Name extends string> {
  readonly addresses: Readonly<Record<Name, string>>
  /** Ends the services started here. May be called twice. */
  stop(): Promise<void>
}

interface ServiceRecord extends ServiceAddress {
  /** Pid of the program that will end it. */
  readonly owner: number
}

export async function startEmbeddedServices<Name extends string>(
  dataDir: string,
  services: EmbeddedServiceSet<Name>,
  log: (line: string) => void
): Promise<EmbeddedServices<Name>> {
  const directory = resolve(dataDir)
  mkdirSync(directory, { recursive: true })
  return withStartLock(directory, () => joinOrStart(directory, services, log))
}

/** Where the services of `dataDir` are, if all of them answer; else null. */
export async function findEmbeddedServices<Name extends string>(
  dataDir: string,
  services: EmbeddedServiceSet<Name>
): Promise<Readonly<Record<Name, string>> | null> {
  const addresses: (readonly [Name, string])[] = []
  for (const name of namesOf(services)) {
    const record = readRecord(resolve(dataDir), name)
    if (record === null || !(await isRunning(services[name], record))) return null
    addresses.push([name, record.address])
  }
  return byName(addresses)
}

async function joinOrStart<Name extends string>(
  dataDir: string,
  services: EmbeddedServiceSet<Name>,
  log: (line: string) => void
): Promise<EmbeddedServices<Name>> {
  const addresses: (readonly [Name, string])[] = []
  const joined: string[] = []
  const started: { readonly name: Name; readonly service: RunningService }[] = []
  const stopAll = async (): Promise<void> => {
    for (const { name } of started) rmSync(recordFile(dataDir, name), { force: true })
    const stops = await Promise.allSettled(started.map(({ service }) => service.stop()))
    for (const outcome of stops) if (outcome.status === 'rejected') throw outcome.reason
  }
  try {
    for (const name of namesOf(services)) {
      const found = readRecord(dataDir, name)
      if (found !== null && isAlive(found.owner) && (await isRunning(services[name], found))) {
        joined.push(`${services[name].title} on port ${found.port}`)
        addresses.push([name, found.address])
        continue
      }
      const service = await services[name].start(dataDir, log)
      started.push({ name, service })
      const { address, port, pid } = service
      writeRecord(dataDir, name, { address, port, pid, owner: process.pid })
      addresses.push([name, address])
    }
  } catch (error) {
    await stopAll()
    throw error
  }
  if (joined.length > 0)
    log(`Using the embedded services that another program started: ${joined.join(', ')}`)
  let stopping: Promise<void> | null = null
  return {
    addresses: byName(addresses),
    stop() {
      stopping ??= stopAll()
      return stopping
    }
  }
}

async function isRunning(service: EmbeddedService, found: ServiceAddress): Promise<boolean> {
  return isAlive(found.pid) && (await service.answers(found))
}

const namesOf = <Name extends string>(services: EmbeddedServiceSet<Name>): readonly Name[] =>
  Object.keys(services) as Name[]

const byName = <Name extends string>(
  addresses: readonly (readonly [Name, string])[]
): Readonly<Record<Name, string>> => Object.fromEntries(addresses) as Record<Name, string>

function recordFile(dataDir: string, name: string): string {
  return join(dataDir, `${name}.json`)
}

function readRecord(dataDir: string, name: string): ServiceRecord | null {
  try {
    return JSON.parse(readFileSync(recordFile(dataDir, name), 'utf8')) as ServiceRecord
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError)
      return null
    throw error
  }
}

function writeRecord(dataDir: string, name: string, record: ServiceRecord): void {
  const draft = `${recordFile(dataDir, name)}.${randomUUID()}`
  writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`)
  renameSync(draft, recordFile(dataDir, name))
}
