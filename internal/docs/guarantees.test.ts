import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

const root = new URL('../../', import.meta.url)
const text = readFileSync(new URL('guarantees.md', import.meta.url), 'utf8')
const rows = text.split('\n').filter(line => /^\| [^#w-]/.test(line))

t.test('each fault of the catalogue has its row, and each row a test that exists', async t => {
  const numbers = new Set(
    rows.flatMap(row => (row.split('|')[1] ?? '').match(/\d+/g) ?? []).map(Number)
  )
  const catalogue = [...Array.from({ length: 57 }, (_, index) => index + 1), 62, 63]
  t.same(
    catalogue.filter(number => !numbers.has(number)),
    []
  )
  for (const row of rows) {
    const named = [...row.matchAll(/`([^`]+)`: “([^”]+)”/g)]
    t.ok(named.length > 0 || row.includes('`.config/'), row.slice(0, 60))
    for (const [, file = '', title = ''] of named) {
      const path = new URL(file, root)
      t.ok(existsSync(path) && hasTest(readFileSync(path, 'utf8'), title), `${file}: ${title}`)
    }
  }
})

/** A title may stand in a template with something in it that changes. */
function hasTest(source: string, title: string): boolean {
  if (source.includes(title)) return true
  return [...source.matchAll(/test\(`([^`]+)`/g)].some(([, template = '']) => {
    const parts = template.split(/\$\{[^}]*\}/)
    return title.startsWith(parts[0] ?? '') && title.endsWith(parts.at(-1) ?? '')
  })
}
