/** Shows the progress of a chaos run: a bar on a terminal, occasional lines elsewhere. */
import { Presets, SingleBar } from 'cli-progress'

export interface ChaosProgress {
  update(done: number, doing: string): void
  stop(): void
}

const LINE_MS = 10_000

export function createChaosProgress(
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean },
  steps: number
): ChaosProgress {
  if (stream.isTTY === true) {
    const bar = new SingleBar(
      {
        stream,
        format: '{bar} {value}/{total} | {duration_formatted} | {doing}',
        hideCursor: true
      },
      Presets.shades_classic
    )
    bar.start(steps, 0, { doing: '' })
    return { update: (done, doing) => bar.update(done, { doing }), stop: () => bar.stop() }
  }
  let saidAtMs = -Infinity
  return {
    update(done, doing) {
      const nowMs = performance.now()
      if (nowMs - saidAtMs < LINE_MS) return
      saidAtMs = nowMs
      stream.write(`  step ${done} of ${steps}  ${doing}\n`)
    },
    stop: () => undefined
  }
}
