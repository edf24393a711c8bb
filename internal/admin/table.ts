/**
 * Aligned columns, cut to the width of a terminal; whole where the output is no terminal.
 *
 * Shapes  titles and cells of text in (foreign text too: it is made printable here), lines out.
 *         Where the columns do not fit, the widest of those that may be cut give way, down to a few characters; ids never are, for they
 *         are there to be copied.
 */
import { cutTo, printable, widthOf } from './text.js'

export interface Column {
  readonly title: string
  readonly isRight?: boolean
  /** May lose its end. */
  readonly isCut?: boolean
}

const GAP = '  '
const MIN_WIDTH = 6

export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[], terminalWidth: number | null): string {
  const lines = [columns.map(({ title }) => title), ...rows.map(row => row.map(printable))]
  const widths = columns.map((_, at) => Math.max(...lines.map(line => widthOf(line[at] ?? ''))))
  if (terminalWidth !== null) shrink(widths, columns, terminalWidth)
  const format = (line: readonly string[]): string => {
    const cells = columns.map(({ isRight = false }, at) => {
      const width = widths[at] ?? 0
      const text = cutTo(line[at] ?? '', width)
      const padding = ' '.repeat(width - widthOf(text))
      return isRight ? padding + text : text + padding
    })
    return cells.join(GAP).trimEnd()
  }
  return lines.map(line => `${format(line)}\n`).join('')
}

function shrink(widths: number[], columns: readonly Column[], terminalWidth: number): void {
  const excess = (): number => widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1)) - terminalWidth
  for (let over = excess(); over > 0; over = excess()) {
    let widest = -1
    for (const [at, { isCut = false }] of columns.entries()) {
      const width = widths[at] ?? 0
      if (isCut && width > MIN_WIDTH && width > (widths[widest] ?? 0)) widest = at
    }
    if (widest === -1) return
    widths[widest] = (widths[widest] ?? 0) - 1
  }
}

/** Names and values below each other; values are not cut. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length))
  return fields.map(([name, value]) => `${name.padEnd(width)}${GAP}${printable(value)}`.trimEnd() + '\n').join('')
}
