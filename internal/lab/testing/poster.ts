/**
 * The sender's poster as tests use it: http is allowed, loopback stands for the Internet,
 * and every name resolves to it.
 */
import { createAddressRules, parseAllowList } from '../../engine/egress/address.js'
import {
  createPoster,
  type Post,
  type Poster,
  type PosterOptions
} from '../../engine/egress/post.js'
import type { PostResult } from '../../engine/egress/result.js'
import { createManualClock, type ManualClock } from './manual-clock.js'
import { type StubAnswer, type StubHttp, startStubHttp } from './stub-http.js'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface TestPoster {
  readonly poster: Poster
  /** Stands still: deadlines pass when the test says so. */
  readonly clock: ManualClock
  readonly post: (url: string, over?: Partial<Post>) => Promise<PostResult>
}

export const DEADLINE_MS = 15_000
export const DAY_MS = 86_400_000

export function createTestPoster(t: Teardown, over: Partial<PosterOptions> = {}): TestPoster {
  const clock = createManualClock(Date.parse('2026-01-01T00:00:00Z'))
  const poster = createPoster({
    rules: { allowHttp: true, addresses: createAddressRules(parseAllowList('127.0.0.0/8').list) },
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    clock,
    connectTimeoutMs: 5_000,
    connectionsPerOrigin: 2,
    maxOrigins: 10,
    maxRetryAfterMs: DAY_MS,
    ...over
  })
  t.teardown(() => poster.close())
  const post = (url: string, postOver: Partial<Post> = {}): Promise<PostResult> =>
    poster.post({ url, headers: [], body: '{}', deadlineMs: DEADLINE_MS, ...postOver })
  return { poster, post, clock }
}

/** The same with one recipient; `post` takes a path on it. */
export async function startRecipient(
  t: Teardown,
  answer: StubAnswer,
  over: Partial<PosterOptions> = {}
): Promise<TestPoster & { readonly stub: StubHttp }> {
  const stub = await startStubHttp(t, answer)
  const { post, ...rest } = createTestPoster(t, over)
  return { ...rest, stub, post: (path, postOver) => post(`${stub.origin}${path}`, postOver) }
}
