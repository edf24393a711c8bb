/**
 * Keeps the SDK's credentials at hand, so that a call need not await them.
 *
 * Units   milliseconds.
 * Errors  those of the SDK's provider chain.
 * Source  the SDK asks its chain again five minutes before credentials expire, and when
 *         told to (`forceRefresh`).
 */
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { Clock } from '../../../lifecycle/clock.js'

type Provider = SQSClient['config']['credentials']
export type AwsCredentials = Awaited<ReturnType<Provider>>

export interface CredentialCache {
  /** Null when the SDK must be asked. */
  held(): AwsCredentials | null
  ask(): Promise<AwsCredentials>
  /** These credentials were refused: the next ones come from their source. */
  discard(refused: AwsCredentials): void
}

const REFRESH_BEFORE_EXPIRY_MS = 300_000

export function createCredentialCache(provider: Provider, clock: Clock): CredentialCache {
  let credentials: AwsCredentials | null = null
  let mustRefresh = false

  return {
    held() {
      const expiration = credentials?.expiration
      if (
        expiration !== undefined &&
        expiration.getTime() - clock.epochMs() < REFRESH_BEFORE_EXPIRY_MS
      )
        return null
      return credentials
    },
    async ask() {
      const forceRefresh = mustRefresh
      mustRefresh = false
      credentials = await provider({ forceRefresh })
      return credentials
    },
    discard(refused) {
      if (credentials !== refused) return
      credentials = null
      mustRefresh = true
    }
  }
}
