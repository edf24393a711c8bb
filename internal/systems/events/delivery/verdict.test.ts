import t from 'tap'
import { ERROR_CLASSES } from '../../../engine/egress/failure.js'
import type { PostResult } from '../../../engine/egress/result.js'
import { attemptOf } from './verdict.js'

const answered = (status: number, retryAfterMs?: number) =>
  meaningOf({
    kind: 'answered',
    status,
    responseHead: '',
    ms: 1,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs })
  })

function meaningOf(result: PostResult) {
  const attempt = attemptOf(result)
  return attempt === null ? null : { duty: attempt.duty, lane: attempt.lane }
}

const DELIVERED = { duty: { kind: 'done' }, lane: { kind: 'well', restMs: 0 } }
const GONE = {
  duty: { kind: 'retry', notBeforeMs: 0 },
  lane: { kind: 'closed', reason: 'the endpoint answered 410 Gone' }
}
const failedFor = (restMs: number) => ({
  duty: { kind: 'retry', notBeforeMs: restMs },
  lane: { kind: 'failing', restMs }
})

t.test('only 2xx is delivered, 410 closes the endpoint, the rest is tried again', async t => {
  for (const status of [200, 201, 202, 204, 299]) t.same(answered(status), DELIVERED, `${status}`)
  t.same(answered(410), GONE)
  for (const status of [
    199, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 408, 409, 411, 413, 429, 500, 502, 503,
    504, 599, 600, 999
  ])
    t.same(answered(status), failedFor(0), `${status}`)
})

t.test('Retry-After counts for 429 and 503 alone', async t => {
  for (const status of [429, 503]) t.same(answered(status, 5_000), failedFor(5_000), `${status}`)
  for (const status of [301, 404, 500, 502, 504])
    t.same(answered(status, 5_000), failedFor(0), `${status}`)
  t.same(answered(410, 5_000), GONE)
  t.same(answered(200, 5_000), DELIVERED)
})

t.test('no answer is tried again, whatever the reason', async t => {
  for (const errorClass of ERROR_CLASSES.filter(one => one !== 'stopped'))
    t.same(meaningOf({ kind: 'failed', errorClass, detail: '', ms: 1 }), failedFor(0), errorClass)
})

t.test('an attempt that the sender aborted has no verdict', async t => {
  t.equal(meaningOf({ kind: 'failed', errorClass: 'stopped', detail: '', ms: 1 }), null)
})

t.test('the answer is kept for the record', async t => {
  const result: PostResult = { kind: 'answered', status: 500, responseHead: 'no', ms: 3 }
  t.same(attemptOf(result)?.result, result)
})
