/** The live line: what the systems have done, and how fast. */
import { systemClock } from '../../engine/lifecycle/clock.js'
import { delay } from '../../engine/lifecycle/interrupt.js'
import type { Demo, Figures } from './demo.js'
import type { LiveLine } from './live-line.js'
import type { Stand } from './stand.js'

interface Look {
  readonly demo: Demo
  readonly figures: Figures
}

const REFRESH_MS = 1_000
const LINE_EVERY_MS = 5_000

/** Shows it until `signal` aborts; throws an ExpectedError when a program has ended. */
export async function watch(
  stands: readonly Stand[],
  output: LiveLine,
  signal: AbortSignal
): Promise<void> {
  let before: readonly Look[] = []
  let beforeMs = performance.now()
  const everyMs = output.isLive ? REFRESH_MS : LINE_EVERY_MS
  while (!signal.aborted) {
    await delay(systemClock, before.length === 0 ? REFRESH_MS : everyMs, signal)
    for (const { programs } of stands) for (const program of programs) await program.assertRunning()
    const looks = await lookAt(stands)
    if (looks.length === 0) continue
    const nowMs = performance.now()
    output.show(progressLine(looks, before, (nowMs - beforeMs) / 1_000))
    before = looks
    beforeMs = nowMs
  }
}

async function lookAt(stands: readonly Stand[]): Promise<readonly Look[]> {
  const looks: Look[] = []
  for (const stand of stands) {
    const figures = await stand.read()
    if (stand.demo !== null && figures !== null) looks.push({ demo: stand.demo, figures })
  }
  return looks
}

/** `before` may lack a system: its pace is not known yet. */
export function progressLine(
  looks: readonly Look[],
  before: readonly Look[],
  seconds: number
): string {
  return looks
    .map(({ demo, figures }) => {
      const last = before.find(look => look.demo === demo)?.figures ?? figures
      const growth = (figures[demo.pace] ?? 0) - (last[demo.pace] ?? 0)
      const perSecond = seconds > 0 ? Math.round(growth / seconds) : 0
      return `${demo.describe(figures)} · ${perSecond.toLocaleString('en-US')}/s`
    })
    .join('  |  ')
}
