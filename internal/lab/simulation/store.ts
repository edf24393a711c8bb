/**
 * The Store port of one simulated process: each statement is a request and an answer, and
 * a fault can strike either.
 *
 * Units   virtual milliseconds.
 * Errors  StoreError in the classes of the real adapter; bounds that the intake exceeds
 *         are violations of I9.
 */

import { type Prepared, type Store, StoreError } from '../../engine/intake/store.js'
import type { Disposition, Entry, Rejection } from '../../engine/message/message.js'
import { failure, type SimulatedDatabase, type Transaction } from './database.js'
import type { FaultOf } from './faults.js'
import type { SentBody } from './load.js'
import { never, type SimulatedProcess } from './process.js'
import type { World } from './world.js'

/** As in config/settings.ts: the server's limit; ours comes a little later. */
const STATEMENT_TIMEOUT_MS = 30_000
const QUERY_DEADLINE_MS = 35_000

const STATEMENT_CODES = [
  '40P01',
  '40001',
  '55P03',
  '57014',
  '57P01',
  '08006',
  '53100',
  '53300',
  '25006',
  '58030',
  'XX000',
  '42P01',
  'odd'
]
const CONNECT_CODES = ['ECONNREFUSED', '53300', '57P03', 'ETIMEDOUT', '28P01']

const pick = (codes: readonly string[], share: number): string =>
  codes[Math.floor(share * codes.length)] ?? ''

export interface StoreSetup<Item, Refused extends Rejection = Rejection> {
  readonly world: World
  readonly database: SimulatedDatabase<Item, Refused>
  readonly process: SimulatedProcess
  readonly sent: ReadonlyMap<string, SentBody>
}

export function connectStore<Item, Refused extends Rejection>({
  world,
  database,
  process,
  sent
}: StoreSetup<Item, Refused>): Store<Item, Refused> {
  type Batch = readonly Entry<Item, Refused>[]
  type Tx = Transaction<Item, Refused>
  const { faults, dice, scheduler } = world
  const { maxMessages, maxBytes } = world.schedule.limits.batch
  let underWay = 0

  const trip = (): Promise<void> => process.sleep(world.latencyMs())

  function assertUp(): void {
    if (faults.during('database-down') !== null) throw failure('ECONNREFUSED')
  }

  function assertTakesWrites(): void {
    const span = faults.during('database-read-only', 'database-full', 'database-migrating')
    if (span !== null)
      throw failure(
        { 'database-read-only': '25006', 'database-full': '53100', 'database-migrating': '42P01' }[
          span as string
        ] ?? ''
      )
  }

  function assertHoldable(batch: Batch): void {
    for (const { message, verdict } of batch) {
      const kind = sent.get(message.origin ?? message.id)?.kind
      if (kind === 'cursed') throw failure('22021')
      if (kind === 'unstorable' && verdict.kind === 'valid') throw failure('22P05')
    }
  }

  async function runStatements(tx: Tx, batch: Batch): Promise<readonly Disposition[]> {
    const fault = faults.strike('statement')
    if (fault?.kind === 'statement-hangs') {
      scheduler.after(STATEMENT_TIMEOUT_MS, () => database.abort(tx))
      await process.sleep(QUERY_DEADLINE_MS)
      throw failure('ETIMEDOUT')
    }
    await process.sleep(dice.scale(0.5, 30))
    assertUp()
    if (fault !== null) throw failure(pick(STATEMENT_CODES, fault.share))
    assertTakesWrites()
    assertHoldable(batch)
    const { dispositions } = await database.write(tx, batch)
    if (process.dies('written')) return never()
    await trip()
    if (tx.state !== 'open') throw failure('ECONNRESET')
    return dispositions
  }

  /** Sends COMMIT. Its effect on the server and the client's answer are independent. */
  function commit(tx: Tx): Promise<void> {
    const fault = faults.strike('commit')
    tx.isCommitSent = true
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        process.after(world.latencyMs(), () => {
          if (process.dies('commit answered')) return
          if (tx.state === 'committed') resolve()
          else reject(failure('25P02'))
        })
      }
      const fail = (code: string, inMs: number): void =>
        void process.after(inMs, () => reject(failure(code)))
      scheduler.after(world.latencyMs(), () => {
        if (!process.isHeard) return
        if (tx.state !== 'open') return fail('ECONNRESET', world.latencyMs())
        if (fault !== null) return strikeCommit(fault, tx, answer, fail)
        database.commit(tx)
        if (!process.dies('committed')) answer()
      })
    })
  }

  function strikeCommit(
    fault: FaultOf<'commit'>,
    tx: Tx,
    answer: () => void,
    fail: (code: string, inMs: number) => void
  ): void {
    const noticedMs = dice.chance(0.5) ? world.latencyMs() : QUERY_DEADLINE_MS
    switch (fault.kind) {
      case 'commit-refused':
        database.abort(tx)
        return fail('40001', world.latencyMs())
      case 'commit-answer-lost-committed':
        database.commit(tx)
        return fail('ECONNRESET', noticedMs)
      case 'commit-answer-lost-rolled-back':
        database.abort(tx)
        return fail('ECONNRESET', noticedMs)
      case 'commit-answer-lost-undecided':
        scheduler.after(fault.share * STATEMENT_TIMEOUT_MS, () =>
          dice.chance(0.5) ? database.commit(tx) : database.abort(tx)
        )
        return fail('ECONNRESET', noticedMs)
      case 'commit-slow': {
        const slowMs = (0.5 + 3 * fault.share) * world.schedule.visibilityTimeoutS * 1_000
        scheduler.after(slowMs, () => {
          database.commit(tx)
          if (slowMs < QUERY_DEADLINE_MS) answer()
        })
        if (slowMs >= QUERY_DEADLINE_MS) fail('ETIMEDOUT', QUERY_DEADLINE_MS)
      }
    }
  }

  function checkBounds(batch: Batch): void {
    const bytes = batch.reduce((sum, { message }) => sum + message.bytes, 0)
    if (batch.length === 0 || batch.length > maxMessages)
      world.violate('I9', `a batch of ${batch.length} messages`)
    if (batch.length > 1 && bytes > maxBytes) world.violate('I9', `a batch of ${bytes} bytes`)
    if (underWay > 1) world.violate('I9', 'three transactions of one worker at once')
  }

  async function end(tx: Tx): Promise<void> {
    if (!process.isAlive || process.dies('announced')) return never()
    // From here on a failure does not reveal the outcome: the intake has to ask.
    hear(null)
    try {
      await commit(tx)
      // The other lane may have failed meanwhile, but this answer is newer.
      hear(null)
    } finally {
      underWay--
    }
  }

  async function rollBack(tx: Tx): Promise<void> {
    database.abort(tx)
    await trip()
    underWay--
  }

  function hear(error: unknown): void {
    process.isDatabaseFailing = error instanceof StoreError && error.fault !== 'data'
  }

  return {
    async prepare(batch): Promise<Prepared> {
      if (!process.isAlive || process.dies('prepare called')) return never()
      process.onCall('prepare')
      checkBounds(batch)
      underWay++
      let begun: Tx | null = null
      try {
        await trip()
        assertUp()
        const fault = faults.strike('begin')
        if (fault !== null) throw failure(pick(CONNECT_CODES, fault.share))
        const tx = database.begin(process)
        begun = tx
        const dispositions = await runStatements(tx, batch)
        if (process.dies('prepared')) return await never()
        return { tx: tx.id, dispositions, commit: () => end(tx), rollBack: () => rollBack(tx) }
      } catch (error) {
        if (begun !== null) database.abort(begun)
        await trip()
        hear(error)
        underWay--
        throw error
      }
    },

    async wasCommitted(id) {
      if (!process.isAlive || process.dies('status called')) return never()
      process.onCall('wasCommitted')
      try {
        await trip()
        assertUp()
        if (faults.strike('status') !== null) throw failure('08006')
        const tookEffect = database.tookEffect(id)
        await trip()
        if (tookEffect === null) throw failure('55006')
        hear(null)
        return tookEffect
      } catch (error) {
        hear(error)
        throw error
      }
    },

    probe: () => Promise.resolve(),
    close: () => Promise.resolve()
  }
}
