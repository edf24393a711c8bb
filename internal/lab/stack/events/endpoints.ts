/**
 * The endpoints of `npm start`: one for each client, leading to the recipient on this
 * machine.
 *
 * They stay from one start to the next. If the recipient listens on another port, or its
 * secrets are lost, they are updated.
 *
 * Errors  StoreError; ExpectedError for invalid keys.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SECRET_FIELD } from '../../../systems/events/delivery/endpoint.js'
import type { KeyRing } from '../../../systems/events/delivery/sealed.js'
import { newSecret, parseSecret } from '../../../systems/events/delivery/secret.js'
import type { Endpoints, SealFor } from '../../../systems/events/delivery/store/endpoints.js'

const CLIENTS = ['client-1', 'client-2', 'client-3'] as const
const FILE = 'recipient-secrets.json'
const pathOf = (client: string): string => `/npm-start/${client}`

export interface DemoEndpointsOptions {
  readonly endpoints: Endpoints
  readonly keys: KeyRing
  readonly dataDir: string
  /** Where the recipient will listen. */
  readonly origin: string
}

/** Makes or updates them; resolves with the path of the recipient's secrets. */
export async function prepareEndpoints({
  endpoints,
  keys,
  dataDir,
  origin
}: DemoEndpointsOptions): Promise<string> {
  mkdirSync(dataDir, { recursive: true })
  const file = join(dataDir, FILE)
  const known = readSecrets(file)
  const secrets: Record<string, string> = {}
  for (const client of CLIENTS) {
    const path = pathOf(client)
    const url = `${origin}${path}`
    const secret = known[path] ?? newSecret()
    secrets[path] = secret
    const seal: SealFor = (id, of) => ({
      secret: keys.seal(secret, { clientId: of, endpointId: String(id), field: SECRET_FIELD }),
      headers: null
    })
    const old = (await endpoints.list({ client, state: 'enabled' })).filter(endpoint =>
      endpoint.url.endsWith(path)
    )
    const same = old.find(endpoint => endpoint.url === url)
    for (const endpoint of old)
      if (endpoint !== same)
        await endpoints.disable(endpoint.id, 'the recipient of npm start is on another port now')
    if (same === undefined)
      await endpoints.add(
        {
          client,
          url,
          eventTypes: null,
          isOrdered: false,
          maxConcurrency: null,
          maxPerSecond: null,
          timeoutMs: null
        },
        seal
      )
    else if (known[path] === undefined) await endpoints.rotateSecret(same.id, seal, 0)
  }
  writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 })
  return file
}

function readSecrets(file: string): Readonly<Record<string, string | undefined>> {
  try {
    const secrets = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    return Object.fromEntries(
      Object.entries(secrets).flatMap(([path, secret]) =>
        typeof secret === 'string' && parseSecret(secret).kind === 'key' ? [[path, secret]] : []
      )
    )
  } catch {
    return {}
  }
}
