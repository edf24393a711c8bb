/**
 * Checks that a delivery was signed with a secret of its path.
 *
 * Shapes  a path, three headers and the body in; null if a signature matches, otherwise
 *         the reason why none does.
 * Errors  ExpectedError that names the secrets file, and the path in it that is wrong.
 * Source  the `standardwebhooks` library, which recipients use too: a check of our own
 *         could share a mistake with our signing.
 */
import { readFileSync } from 'node:fs'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { ExpectedError } from '../../../engine/lifecycle/service.js'
import { parseSecret } from '../delivery/secret.js'

export type SecretsByPath = ReadonlyMap<string, readonly string[]>

/** Named as the library reads them. */
export interface SignatureHeaders extends Record<string, string> {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

export interface Verifier {
  /** False: there are no secrets, and `verify` must not be called. */
  readonly isChecking: boolean
  verify(path: string, headers: SignatureHeaders, body: string): string | null
}

/** Paths that the file does not name are checked with `secrets`. */
export function createVerifier(secrets: readonly string[], byPath: SecretsByPath): Verifier {
  const everywhere = secrets.map(secret => new Webhook(secret))
  const ofPath = new Map(
    Array.from(byPath, ([path, own]) => [path, own.map(secret => new Webhook(secret))])
  )
  return {
    isChecking: everywhere.length > 0 || ofPath.size > 0,
    verify(path, headers, body) {
      let why = 'no secret is known for this path'
      for (const webhook of ofPath.get(path) ?? everywhere) {
        try {
          webhook.verify(body, headers, { jsonParse: false })
          return null
        } catch (error) {
          if (!(error instanceof WebhookVerificationError)) throw error
          why = error.message
        }
      }
      return why
    }
  }
}

export function readSecretsFile(file: string): SecretsByPath {
  const problem = (what: string): ExpectedError => new ExpectedError(`--secrets ${file} ${what}`)
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw problem(
      error instanceof SyntaxError ? 'is not JSON' : `cannot be read: ${(error as Error).message}`
    )
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw problem('must be an object of paths and their secrets')
  return new Map(
    Object.entries(content).map(([path, value]: [string, unknown]) => {
      if (!path.startsWith('/'))
        throw problem(`names ${JSON.stringify(path)}, but paths begin with /`)
      const secrets: readonly unknown[] = Array.isArray(value) ? value : [value]
      return [
        path,
        secrets.map(secret => genuine(secret, reason => problem(`for ${path}: ${reason}`)))
      ]
    })
  )
}

function genuine(secret: unknown, problem: (reason: string) => ExpectedError): string {
  if (typeof secret !== 'string') throw problem('a secret must be a string')
  const parsed = parseSecret(secret)
  if (parsed.kind === 'refused') throw problem(parsed.reason)
  return secret
}
