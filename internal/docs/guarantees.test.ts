import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

const root = new URL('../../', import.meta.url)
const text = readFileSync(new URL('guarantees.md', import.meta.url), 'utf8')
/** From "The process" to "The edge": each ### is a fault. */
const catalogue = text.slice(text.indexOf('\n## The process'), text.indexOf('\n## Long runs'))
const entries = catalogue.split(/^### /m).slice(1)

t.test('each fault of the catalogue has its entry', async t => {
  const numbers = new Set(
    entries.flatMap(entry => /^([\d, ]+)\. /.exec(entry)?.[1]?.split(', ') ?? []).map(Number)
  )
  const known = [...Array.from({ length: 57 }, (_, index) => index + 1), 62, 63]
  t.same(
    known.filter(number => !numbers.has(number)),
    []
  )
})

t.test('each entry names a test that exists', async t => {
  for (const entry of entries) {
    const named = [...entry.matchAll(/^- `([^`]+)`: “([^”]+)”$/gm)]
    t.ok(named.length > 0 || entry.includes('- `.config/'), entry.slice(0, 60))
    for (const [, file = '', title = ''] of named) {
      const path = new URL(file, root)
      t.ok(existsSync(path) && hasTest(readFileSync(path, 'utf8'), title), `${file}: ${title}`)
    }
  }
})

/** A title may stand in a template with something in it that changes. */
function hasTest(source: string, title: string): boolean {
  if (source.includes(title)) return true
  return [...source.matchAll(/test\(\s*`([^`]+)`/g)].some(([, template = '']) => {
    const parts = template.split(/\$\{[^}]*\}/)
    return title.startsWith(parts[0] ?? '') && title.endsWith(parts.at(-1) ?? '')
  })
}
