import t from 'tap'
import { formatFields, formatFigures, formatTable } from './table.js'
import { cutTo, printable, printableLines, widthOf } from './terminal-text.js'

const COLUMNS = [
  { title: 'id' },
  { title: 'name', keeps: 4 },
  { title: 'n', isRight: true },
  { title: 'why', keeps: 10 }
]
const ROWS = [
  ['id-1', 'a name', '1', 'short'],
  ['id-20', 'b', '1,000', 'a long explanation that does not fit']
]

t.test('columns are aligned, and whole when the output is not a terminal', async t => {
  t.equal(
    formatTable(COLUMNS, ROWS, null),
    'id     name        n  why\n' +
      'id-1   a name      1  short\n' +
      'id-20  b       1,000  a long explanation that does not fit\n'
  )
})

t.test(
  'on a terminal the widest column that may be cut shrinks first; every line fits',
  async t => {
    const lines = formatTable(COLUMNS, ROWS, 40).split('\n')
    t.equal(lines[2], 'id-20  b       1,000  a long explanatio…')
    t.ok(lines.every(line => line.length <= 40))
    t.equal(
      formatTable(COLUMNS, ROWS, 60),
      formatTable(COLUMNS, ROWS, null),
      'what fits is not cut'
    )
  }
)

t.test('columns that do not fit are left out and named, and ids stay whole', async t => {
  t.same(formatTable(COLUMNS, ROWS, 30).split('\n'), [
    'id     name      n  why',
    'id-1   a n…      1  short',
    'id-20  b     1,000  a long ex…',
    ''
  ])
  t.same(formatTable(COLUMNS, ROWS, 27).split('\n').slice(1), [
    'id-1   a name      1',
    'id-20  b       1,000',
    '(no room for: why)',
    ''
  ])
  t.same(formatTable(COLUMNS, ROWS, 3).split('\n').slice(2), [
    'id-20',
    '(no room for: name, n, why)',
    ''
  ])
})

t.test('control characters are shown, not executed', async t => {
  const hostile = 'a\u001b[2Jb\u0000\u202ec\nd\te\ud800'
  t.equal(printable(hostile), 'a\\u001b[2Jb\\u0000\\u202ec\\nd\\te\\ud800')
  t.equal(printableLines(hostile), 'a\\u001b[2Jb\\u0000\\u202ec\nd\te\\ud800')
  t.equal(formatTable([{ title: 'x' }], [['\u009b31m']], null), 'x\n\\u009b31m\n')
  t.equal(
    formatFields([
      ['name', '\u0007'],
      ['a', 'b']
    ]),
    'name  \\u0007\na     b\n'
  )
  t.equal(
    printable('Ünïcödé 日本 🎫 "quoted"'),
    'Ünïcödé 日本 🎫 "quoted"',
    'and everything else is left alone'
  )
})

t.test('wide characters take two columns, combining ones none', async t => {
  t.equal(widthOf('日本🎫e\u0301'), 7)
  t.equal(cutTo('日本日本', 5), '日本…')
  t.equal(cutTo('日本', 4), '日本')
  t.equal(
    formatTable(
      [{ title: 'a' }, { title: 'b' }],
      [
        ['日本', 'x'],
        ['abcd', 'y']
      ],
      null
    ),
    'a     b\n日本  x\nabcd  y\n'
  )
})

t.test('figures are aligned right below a rule, names left', async t => {
  t.equal(
    formatFigures([
      ['scenario', 'events/s'],
      ['ours', '12,345'],
      ['limit: INSERT', '9']
    ]),
    'scenario       events/s\n' +
      '─────────────  ────────\n' +
      'ours             12,345\n' +
      'limit: INSERT         9'
  )
})

t.test('another style has its own gap and rule, and the gap counts for the width', async t => {
  const style = { gap: ' | ', rule: { line: '-', crossing: '-+-' } }
  t.equal(
    formatTable([{ title: 'id' }, { title: 'name' }], [['200', '']], null, style),
    'id  | name\n----+-----\n200 |\n'
  )
  t.equal(
    formatTable(COLUMNS, ROWS, 30, style),
    'id    | name   |     n\n------+--------+------\n' +
      'id-1  | a name |     1\nid-20 | b      | 1,000\n(no room for: why)\n'
  )
})
