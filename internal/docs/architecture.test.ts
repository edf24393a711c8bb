import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

const root = new URL('../../', import.meta.url)
const text = readFileSync(new URL('architecture.md', import.meta.url), 'utf8')
const sections = text.split(/^\*\*(?=[ID]\d+)/m).slice(1)
const numbered = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`)

t.test('each of the twelve invariants and six defects names a test that exists', async t => {
  t.same(
    sections.map(section => /^[ID]\d+/.exec(section)?.[0]),
    [...numbered('I', 12), ...numbered('D', 6)]
  )
  for (const section of sections) {
    const named = [...section.matchAll(/^- `([^`]+)`: “([^”]+)”/gm)]
    t.ok(named.length > 0, section.slice(0, 40))
    for (const [, file = '', title = ''] of named) {
      const path = new URL(file, root)
      t.ok(
        existsSync(path) &&
          readFileSync(path, 'utf8').includes(`'${title.replaceAll("'", "\\'")}'`),
        `${file}: ${title}`
      )
    }
  }
})

t.test('the files that it speaks of exist', async t => {
  const files = new Set(
    [...text.matchAll(/`((?:internal|\.config)\/[\w./-]+)`/g)].map(([, file = '']) => file)
  )
  t.ok(files.size > 10)
  for (const file of files) t.ok(existsSync(new URL(file, root)), file)
})
