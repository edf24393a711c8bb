/**
 * Draws the figures as one SVG: events per second, and below it the CPU time per event
 * and who spends it.
 *
 * Shapes  summaries in, a whole SVG document out.
 * Units   pixels; text widths are estimates, so labels next to a bar get room of their
 *         own.
 */
import { rate, whole } from './report.js'
import type { Summary } from './results.js'

const WIDTH = 980
const MARGIN = 24
const LABELS = 176
const FIGURES = 250
const BARS = WIDTH - 2 * MARGIN - LABELS - FIGURES
const BAR = 26
const STEP = 40
const LEFT = MARGIN + LABELS
const FONT =
  "font-family=\"system-ui, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif\""
const INK = '#1f2933'
const FAINT = '#616e7c'
const GRID = '#e4e7eb'
const OURS = '#0b7285'
const OTHERS = '#74b3c1'
const LIMITS = '#c3cdd6'
/** The bench's own CPU time is not part of an event's cost. */
const PARTIES = [
  { party: 'subject', title: 'subject', color: '#0b7285' },
  { party: 'postgres', title: 'PostgreSQL', color: '#e8890c' },
  { party: 'queue', title: 'queue', color: '#8e6bbf' }
] as const
const MACHINE_CHARACTERS = 140

export function drawPlot(summaries: readonly Summary[], machine: string): string {
  const costs = summaries.filter(({ cpuUsPerEvent }) => cpuUsPerEvent !== null)
  const ratesTop = 88
  const costsTop = ratesTop + 44 + summaries.length * STEP + 42
  const height = costs.length === 0 ? costsTop - 20 : costsTop + 70 + costs.length * STEP + 34
  const parts = [
    text(MARGIN, 36, 'Event processor: one run, side by side', { size: 20, weight: 600 }),
    ...wrap(machine).map((line, index) =>
      text(MARGIN, 58 + index * 15, line, { size: 11, fill: FAINT })
    ),
    ...drawRates(summaries, ratesTop),
    ...(costs.length === 0 ? [] : drawCosts(costs, costsTop))
  ]
  const size = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${FONT}>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
${parts.join('\n')}
</svg>
`
}

function drawRates(summaries: readonly Summary[], top: number): readonly string[] {
  const axis = createAxis(Math.max(...summaries.map(({ eventsPerSecond }) => eventsPerSecond.max)))
  const from = top + 44
  return [
    text(MARGIN, top + 18, 'Events per second', { size: 14, weight: 600 }),
    ...drawAxis(axis, from, summaries.length),
    ...summaries.flatMap(({ scenario, title, eventsPerSecond, ratios }, index) => {
      const y = from + index * STEP
      const { median, min, max } = eventsPerSecond
      const ratio =
        ratios.toNaive === null || scenario === 'naive'
          ? ''
          : ` · ${ratios.toNaive.toFixed(1)} × naive`
      return [
        label(title, y),
        bar(LEFT, y, axis.scale(median), colorOf(scenario)),
        ...(min === max ? [] : whisker(LEFT + axis.scale(min), LEFT + axis.scale(max), y)),
        figure(LEFT + axis.scale(max), y, `${rate(eventsPerSecond)}${ratio}`, scenario)
      ]
    })
  ]
}

function drawCosts(summaries: readonly Summary[], top: number): readonly string[] {
  const stacks = summaries.map(({ scenario, title, cpuUsPerEvent }) => {
    const shares = PARTIES.map(({ party, color }) => ({
      color,
      us: cpuUsPerEvent?.[party].median ?? 0
    }))
    return { scenario, title, shares, total: shares.reduce((sum, { us }) => sum + us, 0) }
  })
  const axis = createAxis(Math.max(...stacks.map(({ total }) => total)))
  const from = top + 70
  return [
    text(MARGIN, top + 18, 'CPU time per event, µs', { size: 14, weight: 600 }),
    ...drawLegend(top + 34),
    ...drawAxis(axis, from, stacks.length),
    ...stacks.flatMap(({ scenario, title, shares, total }, index) => {
      const y = from + index * STEP
      let x = LEFT
      const segments = shares.map(({ color, us }) => {
        const segment = bar(x, y, axis.scale(us), color)
        x += axis.scale(us)
        return segment
      })
      const figures = `${whole(total)}  =  ${shares.map(({ us }) => whole(us)).join(' + ')}`
      return [label(title, y), ...segments, figure(x, y, figures, scenario)]
    })
  ]
}

function drawLegend(y: number): readonly string[] {
  return PARTIES.flatMap(({ title, color }, index) => {
    const x = LEFT + index * 120
    return [
      `<rect x="${x}" y="${y}" width="12" height="12" fill="${color}"/>`,
      text(x + 18, y + 11, title, { size: 12, fill: FAINT })
    ]
  })
}

interface Axis {
  readonly step: number
  readonly end: number
  readonly scale: (value: number) => number
}

/** Three to six round steps up to the largest value. */
export function createAxis(largest: number): Axis {
  const safe = largest > 0 ? largest : 1
  const power = 10 ** Math.floor(Math.log10(safe / 3))
  const step = power * ([1, 2, 5, 10].find(factor => safe / (factor * power) <= 6) ?? 10)
  const end = Math.ceil(safe / step) * step
  return { step, end, scale: value => Math.round((value / end) * BARS * 10) / 10 }
}

function drawAxis({ step, end, scale }: Axis, from: number, rows: number): readonly string[] {
  const bottom = from + rows * STEP - (STEP - BAR) + 6
  const lines: string[] = []
  for (let tick = 0; tick <= end / step; tick++) {
    const x = LEFT + scale(tick * step)
    lines.push(
      `<line x1="${x}" y1="${from - 8}" x2="${x}" y2="${bottom}" stroke="${tick === 0 ? FAINT : GRID}"/>`
    )
    lines.push(
      text(x, bottom + 16, (tick * step).toLocaleString('en-US'), {
        size: 11,
        fill: FAINT,
        anchor: 'middle'
      })
    )
  }
  return lines
}

function colorOf(scenario: Summary['scenario']): string {
  if (scenario.startsWith('ours')) return OURS
  return scenario === 'receive-delete' || scenario === 'insert' || scenario === 'producers'
    ? LIMITS
    : OTHERS
}

function bar(x: number, y: number, width: number, fill: string): string {
  return `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${fill}"/>`
}

function whisker(from: number, to: number, y: number): readonly string[] {
  const middle = y + BAR / 2
  const ends = [from, to].map(
    x => `<line x1="${x}" y1="${middle - 5}" x2="${x}" y2="${middle + 5}" stroke="${INK}"/>`
  )
  return [`<line x1="${from}" y1="${middle}" x2="${to}" y2="${middle}" stroke="${INK}"/>`, ...ends]
}

function label(title: string, y: number): string {
  return text(LEFT - 12, y + 18, title, { size: 13, anchor: 'end' })
}

/** Next to the end of a bar; ours stands out. */
function figure(x: number, y: number, content: string, scenario: Summary['scenario']): string {
  return text(x + 10, y + 18, content, {
    size: 13,
    weight: scenario === 'ours' ? 600 : 400,
    isOverGrid: true
  })
}

interface TextStyle {
  readonly size: number
  readonly weight?: number
  readonly fill?: string
  readonly anchor?: 'middle' | 'end'
  /** Covers the grid lines behind it. */
  readonly isOverGrid?: boolean
}

function text(
  x: number,
  y: number,
  content: string,
  { size, weight = 400, fill = INK, anchor, isOverGrid = false }: TextStyle
): string {
  const place = anchor === undefined ? '' : ` text-anchor="${anchor}"`
  const cover = isOverGrid
    ? ' stroke="#ffffff" stroke-width="5" stroke-linejoin="round" paint-order="stroke"'
    : ''
  const at = `x="${x}" y="${y}"`
  const font = `font-size="${size}" font-weight="${weight}" fill="${fill}"`
  return `<text ${at} ${font}${place}${cover} xml:space="preserve">${escape(content)}</text>`
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/**
 * Lines that fit the width, broken at the dots that separate the machine's properties.
 */
function wrap(machine: string): readonly string[] {
  const lines: string[] = []
  for (const part of machine.split(' · ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + part.length > MACHINE_CHARACTERS) lines.push(part)
    else lines[lines.length - 1] = `${last} · ${part}`
  }
  return lines
}
