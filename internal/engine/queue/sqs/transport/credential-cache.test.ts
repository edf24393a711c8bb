import t from 'tap'
import { createManualClock } from '../../../../lab/testing/manual-clock.js'
import { type AwsCredentials, createCredentialCache } from './credential-cache.js'

function setup(lifeMs: number | null) {
  const clock = createManualClock()
  const asked: unknown[] = []
  const provider = (options?: Record<string, unknown>): Promise<AwsCredentials> => {
    asked.push(options?.['forceRefresh'])
    const expiration = lifeMs === null ? {} : { expiration: new Date(clock.epochMs() + lifeMs) }
    return Promise.resolve({
      accessKeyId: `AKID${asked.length}`,
      secretAccessKey: 'secret',
      ...expiration
    })
  }
  return {
    clock,
    asked,
    cache: createCredentialCache(provider as Parameters<typeof createCredentialCache>[0], clock)
  }
}

await t.test('credentials are held until five minutes before they expire', async t => {
  const { clock, cache } = setup(3_600_000)
  t.equal(cache.held(), null, 'none before the first call')
  const credentials = await cache.ask()
  clock.advance(3_300_000)
  t.equal(cache.held(), credentials)
  clock.advance(1)
  t.equal(cache.held(), null)
  t.equal((await cache.ask()).accessKeyId, 'AKID2')
  t.equal(cache.held()?.accessKeyId, 'AKID2')
})

await t.test('credentials that never expire are held for good', async t => {
  const { clock, cache } = setup(null)
  const credentials = await cache.ask()
  clock.advance(10 ** 12)
  t.equal(cache.held(), credentials)
})

await t.test('after a refusal credentials are fetched from their source, once', async t => {
  const { asked, cache } = setup(null)
  const first = await cache.ask()
  cache.discard(first)
  t.equal(cache.held(), null)
  const second = await cache.ask()
  t.strictSame(asked, [false, true])
  cache.discard(first)
  t.equal(cache.held(), second, 'what replaced them stays')
  await cache.ask()
  t.strictSame(asked, [false, true, false])
})
