/**
 * Aligns cells of text in columns: the first column to the left, figures to the right.
 */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
  const format = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
      )
      .join('  ')
      .trimEnd()
  const [head, ...body] = rows.map(format)
  if (head === undefined) return ''
  const rule = widths.map(width => '─'.repeat(width)).join('  ')
  return [head, rule, ...body].join('\n')
}
