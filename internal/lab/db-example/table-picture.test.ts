import t from 'tap'
import { cut, drawPanels, type Panel, panelWidth } from './table-picture.js'

const panel = (over: Partial<Panel> = {}): Panel => ({
  title: 'message',
  statement: 'SELECT …',
  columns: [
    { title: 'id', characters: 4 },
    { title: 'body', characters: 8 }
  ],
  rows: [['1', 'short']],
  ...over
})

t.test('a cell is cut to its column, with an ellipsis', async t => {
  t.equal(cut('12345678', 8), '12345678')
  t.equal(cut('123456789', 8), '1234567…')
  t.equal(cut('a\n  b', 8), 'a b', 'one line')
  t.equal(cut('😀😀😀', 2), '😀…', 'no half character')
})

t.test('characters that XML reserves or cannot represent are drawn as text', async t => {
  const svg = drawPanels([[panel({ rows: [['<&>', '\u0000\ud800']] })]])
  t.match(svg, '&lt;&amp;&gt;')
  t.match(svg, '\uFFFD\uFFFD')
  t.notMatch(svg, '\u0000')
})

t.test('panels of a row stand side by side, rows below one another', async t => {
  const svg = drawPanels([
    [panel({ title: 'left' }), panel({ title: 'right' })],
    [panel({ title: 'below' })]
  ])
  const place = (title: string): readonly number[] => {
    const found = new RegExp(`<text x="([0-9.]+)" y="([0-9.]+)"[^>]*>${title}<`).exec(svg)
    return [Number(found?.[1]), Number(found?.[2])]
  }
  const [left, right, below] = [place('left'), place('right'), place('below')]
  t.equal(right[1], left[1])
  t.ok((right[0] ?? 0) >= (left[0] ?? 0) + panelWidth(panel()), 'not on top of each other')
  t.equal(below[0], left[0])
  t.ok((below[1] ?? 0) > (left[1] ?? 0))
})
