/**
 * Aligned columns, cut to the width of a terminal; whole when the output is not one. All
 * programs print their tables with this.
 *
 * Shapes  titles and cells of text in (foreign text too: it is made printable here),
 *         lines out. If the columns do not fit, the widest of those that may be cut
 *         shrink first; columns that still do not fit are left out from the right and
 *         named below. Ids are never cut: people copy them.
 */
import { cutTo, printable, widthOf } from './terminal-text.js'

export interface TableColumn {
  readonly title: string
  readonly isRight?: boolean
  /** May be cut, but not below this width; absent: never cut. */
  readonly keeps?: number
}

/** What separates columns, and titles from rows. */
export interface TableStyle {
  readonly gap: string
  readonly rule: { readonly line: string; readonly crossing: string } | null
}

const GAP = '  '
const PLAIN: TableStyle = { gap: GAP, rule: null }
const RULED: TableStyle = { gap: GAP, rule: { line: '─', crossing: GAP } }

export function formatTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  terminalWidth: number | null,
  { gap, rule }: TableStyle = PLAIN
): string {
  const lines = [columns.map(({ title }) => title), ...rows.map(row => row.map(printable))]
  const natural = columns.map((_, at) => Math.max(...lines.map(line => widthOf(line[at] ?? ''))))
  const widths = terminalWidth === null ? natural : fit(natural, columns, terminalWidth, gap)
  const format = (line: readonly string[]): string => {
    const cells = widths.map((width, at) => {
      const text = cutTo(line[at] ?? '', width)
      const padding = ' '.repeat(width - widthOf(text))
      return columns[at]?.isRight === true ? padding + text : text + padding
    })
    return cells.join(gap).trimEnd()
  }
  const leftOut = columns.slice(widths.length).map(({ title }) => title)
  const note = leftOut.length === 0 ? [] : [`(no room for: ${leftOut.join(', ')})`]
  const [titles = '', ...body] = lines.map(format)
  const ruling =
    rule === null ? [] : [widths.map(width => rule.line.repeat(width)).join(rule.crossing)]
  return [titles, ...ruling, ...body, ...note].map(line => `${line}\n`).join('')
}

/**
 * A table of figures whose first row is its titles, above a rule: the first column is
 * aligned left, the others right. No line break at its end.
 */
export function formatFigures([titles = [], ...rows]: readonly (readonly string[])[]): string {
  const columns = titles.map((title, at) => ({ title, isRight: at > 0 }))
  return formatTable(columns, rows, null, RULED).trimEnd()
}

/** The widths of the columns that fit. */
function fit(
  natural: readonly number[],
  columns: readonly TableColumn[],
  terminalWidth: number,
  gap: string
): readonly number[] {
  const least = natural.map((width, at) => Math.min(width, columns[at]?.keeps ?? width))
  const total = (widths: readonly number[]): number =>
    widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1))
  let count = columns.length
  while (count > 1 && total(least.slice(0, count)) > terminalWidth) count--
  const widths = natural.slice(0, count)
  for (let over = total(widths) - terminalWidth; over > 0; over--) {
    let widest = -1
    for (const [at, width] of widths.entries()) {
      if (width > (least[at] ?? width) && width > (widths[widest] ?? 0)) widest = at
    }
    if (widest === -1) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

/** One name and value per line; values are not cut. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length))
  return fields
    .map(([name, value]) => `${name.padEnd(width)}${GAP}${printable(value)}`.trimEnd() + '\n')
    .join('')
}
