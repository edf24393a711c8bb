/**
 * The Store port of one simulated process: each statement is a packet there and an answer
 * back, and each can be struck by a fault.
 *
 * Units   virtual milliseconds.
 * Errors  StoreError in the classes of the real adapter; bounds that the intake breaks
 *         are violations of I9.
 */

import { type PreparedCommit, type Store, StoreError } from '../../engine/intake/store.js'
import type { Entry } from '../../engine/message/message.js'
import { type Database, failure, type Transaction } from './database.js'
import type { FaultOf } from './faults.js'
import type { Sent } from './load.js'
import { never, type SimulatedProcess } from './process.js'
import type { World } from './world.js'

/** As config/settings.ts has it: the server's limit, and a little later ours. */
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

export interface StoreSetup {
  readonly world: World
  readonly database: Database
  readonly process: SimulatedProcess
  readonly sent: ReadonlyMap<string, Sent>
}

export function connectStore({ world, database, process, sent }: StoreSetup): Store {
  const { faults, dice, scheduler } = world
  const { maxMessages, maxBytes } = world.schedule.limits.batch
  let insertsUnderWay = 0

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

  function assertHoldable(batch: readonly Entry[]): void {
    for (const { message, verdict } of batch) {
      const kind = sent.get(message.origin ?? message.id)?.kind
      if (kind === 'cursed') throw failure('22021')
      if (kind === 'unstorable' && verdict.kind === 'valid') throw failure('22P05')
    }
  }

  async function runStatements(tx: Transaction, batch: readonly Entry[]): Promise<PreparedCommit> {
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
    return { tx: tx.id, dispositions }
  }

  /**
   * Sends COMMIT; what the server makes of it and what the client hears of that are two
   * things.
   */
  function commit(tx: Transaction): Promise<void> {
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
    tx: Transaction,
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

  function checkBounds(batch: readonly Entry[]): void {
    const bytes = batch.reduce((sum, { message }) => sum + message.bytes, 0)
    if (batch.length === 0 || batch.length > maxMessages)
      world.violate('I9', `a batch of ${batch.length} messages`)
    if (batch.length > 1 && bytes > maxBytes) world.violate('I9', `a batch of ${bytes} bytes`)
    if (insertsUnderWay > 1) world.violate('I9', 'three transactions of one worker at once')
  }

  function hear(error: unknown): void {
    process.isDatabaseFailing = error instanceof StoreError && error.fault !== 'data'
  }

  return {
    async insert(batch, onPrepared) {
      if (!process.isAlive || process.dies('insert called')) return never()
      process.onCall('insert')
      checkBounds(batch)
      insertsUnderWay++
      let tx: Transaction | null = null
      try {
        await trip()
        assertUp()
        const fault = faults.strike('begin')
        if (fault !== null) throw failure(pick(CONNECT_CODES, fault.share))
        tx = database.begin(process)
        const prepared = await runStatements(tx, batch)
        if (process.dies('prepared')) return await never()
        await onPrepared(prepared)
        if (process.dies('announced')) return await never()
        // From here on a failure says nothing of the database: the intake has to ask.
        hear(null)
        await commit(tx)
        // The other lane may have failed meanwhile: this answer is newer.
        hear(null)
        return prepared.dispositions
      } catch (error) {
        if (tx?.isCommitSent === true) throw error
        if (tx !== null) database.abort(tx)
        await trip()
        hear(error)
        throw error
      } finally {
        insertsUnderWay--
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
