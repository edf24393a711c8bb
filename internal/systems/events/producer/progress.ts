/**
 * Shows how far a load run is: a bar on a terminal, a line every two seconds elsewhere.
 *
 * Shapes  totals in; writes to the stream it was given and to nothing else.
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
  /** Null: nobody knows, so there is a line and no bar. */
  readonly count: number | null
  readonly clock: Clock
}

const LINE_MS = 2_000

export function createLoadProgress(options: LoadProgressOptions): LoadProgress {
  return options.stream.isTTY === true && options.count !== null
    ? createBar(options, options.count)
    : createLines(options)
}

/** What a run has done so far, in one line. */
export function describeLoad({ sent, duplicates, invalid, refused, seconds }: LoadTotals): string {
  const rate = seconds > 0 ? Math.round(sent / seconds) : 0
  const lost = refused > 0 ? `, ${refused} refused by the queue` : ''
  return `${sent} sent (${duplicates} duplicates, ${invalid} invalid${lost}) in ${seconds.toFixed(1)} s, ${rate}/s`
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
      // The clock and not the totals' own time: a run that stands still shows it.
      stream.write(
        `${describeLoad({ ...latest, seconds: (clock.monotonicMs() - startedMs) / 1000 })}\n`
      )
      lineAfterAWhile()
    })
  }
  lineAfterAWhile()
  return { update: totals => (latest = totals), stop: () => cancel() }
}
