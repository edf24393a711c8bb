/**
 * Shows the progress of a load run: a bar on a terminal, elsewhere a line every 2 s.
 */
import { Presets, SingleBar } from 'cli-progress'
import type { Clock } from '../../../engine/lifecycle/clock.js'
import type { LoadTotals } from './load.js'

export interface LoadProgress {
  readonly update: (totals: LoadTotals) => void
  readonly stop: () => void
}

export interface LoadProgressOptions {
  readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean }
  /** Null: unknown, so lines are shown instead of a bar. */
  readonly count: number | null
  readonly clock: Clock
}

const LINE_MS = 2_000

export function createLoadProgress(options: LoadProgressOptions): LoadProgress {
  return options.stream.isTTY === true && options.count !== null
    ? createBar(options, options.count)
    : createLines(options)
}

/** The totals so far, in one line. */
export function describeLoad({ sent, duplicates, invalid, refused, seconds }: LoadTotals): string {
  const rate = seconds > 0 ? Math.round(sent / seconds) : 0
  const lost = refused > 0 ? `, ${refused} refused by the queue` : ''
  const kinds = `${duplicates} duplicates, ${invalid} invalid${lost}`
  return `${sent} sent (${kinds}) in ${seconds.toFixed(1)} s, ${rate}/s`
}

function createBar({ stream }: LoadProgressOptions, count: number): LoadProgress {
  const bar = new SingleBar(
    {
      stream,
      format: '{bar} {percentage} % | {value}/{total} | {rate}/s | {eta_formatted} left',
      hideCursor: true
    },
    Presets.shades_classic
  )
  bar.start(count, 0, { rate: 0 })
  return {
    update: ({ sent, seconds }) =>
      bar.update(sent, { rate: seconds > 0 ? Math.round(sent / seconds) : 0 }),
    stop: () => bar.stop()
  }
}

function createLines({ stream, clock }: LoadProgressOptions): LoadProgress {
  let latest: LoadTotals = { sent: 0, duplicates: 0, invalid: 0, refused: 0, seconds: 0 }
  const startedMs = clock.monotonicMs()
  let cancel: () => void = () => undefined
  const lineAfterAWhile = (): void => {
    cancel = clock.after(LINE_MS, () => {
      // The clock's time, not that of the totals: it shows when a run stands still.
      stream.write(
        `${describeLoad({ ...latest, seconds: (clock.monotonicMs() - startedMs) / 1000 })}\n`
      )
      lineAfterAWhile()
    })
  }
  lineAfterAWhile()
  return { update: totals => (latest = totals), stop: () => cancel() }
}
