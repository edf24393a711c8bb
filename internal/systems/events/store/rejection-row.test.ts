import t from 'tap'
import { rejected } from '../../../lab/testing/event-entries.js'
import { type RejectionRow, toRejectionRow } from './rejection-row.js'

function rowOf(over: Partial<{ receiveCount: number; sentAtMs: number }>): RejectionRow {
  const { message, verdict } = rejected()
  if (verdict.kind !== 'rejected') throw new Error('not a rejection')
  return toRejectionRow({ ...message, ...over }, verdict.rejection)
}

t.test('a number that its column cannot hold does not prevent the row', async t => {
  t.equal(rowOf({ receiveCount: 2_147_483_647 }).receiveCount, 2_147_483_647)
  t.equal(rowOf({ receiveCount: 2_147_483_648 }).receiveCount, 2_147_483_647)
  t.equal(rowOf({ receiveCount: Number.NaN }).receiveCount, 0)
  t.equal(rowOf({ sentAtMs: 0 }).sentAtMs, 0)
  t.equal(rowOf({ sentAtMs: 253_402_300_799_999 }).sentAtMs, 253_402_300_799_999)
  for (const sentAtMs of [253_402_300_800_000, -1, Number.NaN, Number.POSITIVE_INFINITY])
    t.equal(rowOf({ sentAtMs }).sentAtMs, null)
})
