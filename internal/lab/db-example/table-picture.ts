/**
 * Draws database rows as a picture: rows of panels, each a table with its statement.
 *
 * Shapes  panels of text cells in, one SVG document out; pure. A cell that is longer than
 *         its column is cut and ends in an ellipsis.
 * Units   pixels; widths of columns in characters of the monospaced font.
 */
export interface Column {
  readonly title: string
  readonly characters: number
}

export interface Panel {
  readonly title: string
  readonly statement: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
}

/** Panels side by side. */
export type PanelRow = readonly Panel[]

const FONT_PX = 13
const CHARACTER_PX = FONT_PX * 0.602
const LINE_PX = 24
const CELL_PADDING_PX = 9
const MARGIN_PX = 28
const PANEL_GAP_PX = 28
const TITLE_PX = 26
const STATEMENT_PX = 26
const FONTS = 'DejaVu Sans Mono, Menlo, Consolas, Liberation Mono, monospace'
const COLOURS = {
  text: '#1f2933',
  quiet: '#66717e',
  head: '#e8eef5',
  line: '#d5dde6',
  stripe: '#f7f9fb',
  paper: '#ffffff'
}

export function drawPanels(panelRows: readonly PanelRow[]): string {
  const parts: string[] = []
  let y = MARGIN_PX
  let width = 0
  for (const panels of panelRows) {
    let x = MARGIN_PX
    for (const panel of panels) {
      parts.push(drawPanel(panel, x, y))
      x += panelWidth(panel) + PANEL_GAP_PX
    }
    width = Math.max(width, x - PANEL_GAP_PX + MARGIN_PX)
    y += Math.max(...panels.map(panelHeight)) + PANEL_GAP_PX
  }
  const height = y - PANEL_GAP_PX + MARGIN_PX
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${px(width)}" height="${px(height)}" font-family="${FONTS}" font-size="${FONT_PX}">`,
    `<rect width="100%" height="100%" fill="${COLOURS.paper}"/>`,
    ...parts,
    '</svg>',
    ''
  ].join('\n')
}

export function panelWidth({ columns }: Panel): number {
  return columns.reduce((sum, column) => sum + columnWidth(column), 0)
}

function panelHeight({ rows }: Panel): number {
  return TITLE_PX + STATEMENT_PX + (rows.length + 1) * LINE_PX
}

function columnWidth({ characters }: Column): number {
  return characters * CHARACTER_PX + 2 * CELL_PADDING_PX
}

function drawPanel(panel: Panel, x: number, y: number): string {
  const { title, statement, columns, rows } = panel
  const width = panelWidth(panel)
  const top = y + TITLE_PX + STATEMENT_PX
  const height = (rows.length + 1) * LINE_PX
  const stripes = rows.flatMap((_, index) =>
    index % 2 === 1
      ? [rectangle(x, top + (index + 1) * LINE_PX, width, LINE_PX, COLOURS.stripe)]
      : []
  )
  const lines = rows.map((_, index) => horizontal(x, top + (index + 1) * LINE_PX, width))
  const cells = [columns.map(column => column.title), ...rows].flatMap((row, rowIndex) => {
    let cellX = x
    return columns.map((column, index) => {
      const at = cellX
      cellX += columnWidth(column)
      const baseline = top + rowIndex * LINE_PX + LINE_PX / 2 + FONT_PX * 0.36
      return text(
        cut(row[index] ?? '', column.characters),
        at + CELL_PADDING_PX,
        baseline,
        rowIndex === 0 ? 'font-weight="bold"' : ''
      )
    })
  })
  return [
    text(title, x, y + 14, 'font-weight="bold" font-size="16"'),
    text(statement, x, y + TITLE_PX + 12, `fill="${COLOURS.quiet}"`),
    rectangle(x, top, width, LINE_PX, COLOURS.head),
    ...stripes,
    ...lines,
    `<rect x="${px(x)}" y="${px(top)}" width="${px(width)}" height="${px(height)}" fill="none" stroke="${COLOURS.line}"/>`,
    ...cells
  ].join('\n')
}

function rectangle(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" fill="${fill}"/>`
}

function horizontal(x: number, y: number, width: number): string {
  return `<path d="M${px(x)} ${px(y)}h${px(width)}" stroke="${COLOURS.line}"/>`
}

function text(content: string, x: number, y: number, attributes: string): string {
  const fill = attributes.includes('fill=') ? '' : `fill="${COLOURS.text}" `
  return `<text x="${px(x)}" y="${px(y)}" ${fill}${attributes} xml:space="preserve">${escapeXml(content)}</text>`
}

/** One line of at most `characters`. */
export function cut(content: string, characters: number): string {
  const line = content.replaceAll(/\s+/g, ' ')
  const letters = Array.from(line)
  return letters.length > characters ? `${letters.slice(0, characters - 1).join('')}…` : line
}

/** XML cannot represent most control characters, not even escaped. */
function escapeXml(content: string): string {
  return content
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10)
}
