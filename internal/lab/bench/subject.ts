/**
 * The process of one baseline: started by baseline-subject.ts with a BaselineSpec as its
 * argument; it answers over its IPC channel and ends with it.
 */
import { Observations } from '../../engine/observe/observations.js'
import { SECONDS_BUCKETS } from '../../systems/events/observe/worker-metrics.js'
import { type BaselineEvents, runNaive, runPerReceive, runReceiveDelete } from './baselines.js'
import { prepareInsertAlone } from './insert-alone.js'
import { runBenchProducers } from './load.js'
import type { BaselineSpec, FromBaseline } from './protocol.js'

const spec = JSON.parse(process.argv[2] ?? '') as BaselineSpec
const dwell = new Observations(SECONDS_BUCKETS)
let settled = 0

const events: BaselineEvents = {
  onStored: sentAtMs => dwell.observe(Math.max(0, Date.now() - sentAtMs) / 1_000),
  onDeleted: messages => {
    settled += messages
  },
  onFailed: error =>
    tell({
      kind: 'failed',
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error)
    })
}

// Ctrl-C in a terminal is for the bench, which then ends this process.
process.on('SIGINT', () => undefined)
process.once('disconnect', () => process.exit(0))
process.on('message', () => tell({ kind: 'report', report: { settled, dwell } }))
start()

function start(): void {
  switch (spec.name) {
    case 'naive':
      tell({ kind: 'receiving' })
      return runNaive(spec, events)
    case 'per-receive':
      tell({ kind: 'receiving' })
      return runPerReceive(spec, events)
    case 'receive-delete':
      tell({ kind: 'receiving' })
      return runReceiveDelete(spec, events)
    case 'insert': {
      const insert = prepareInsertAlone(spec)
      tell({ kind: 'receiving' })
      insert(events.onDeleted).catch(events.onFailed)
      return
    }
    case 'producers':
      tell({ kind: 'receiving' })
      runBenchProducers(spec, sent => {
        settled = sent
      }).catch(events.onFailed)
  }
}

function tell(message: FromBaseline): void {
  process.send?.(message)
}
