import t from 'tap'
import {
  anchorsOf,
  exists,
  linksOf,
  listFiles,
  type MarkdownPage,
  readPage,
  withoutCode
} from '../lab/testing/markdown.js'

const MAX_CELL = 200
const MAX_README_LINES = 150
/** Languages that blocks may have, with the words that may stand behind them. */
const LANGUAGES: Readonly<Record<string, readonly string[]>> = {
  sh: ['', 'not-run'],
  console: ['', 'varies', 'not-run'],
  text: [''],
  json: [''],
  http: [''],
  sql: [''],
  ts: [''],
  mermaid: ['']
}

const files = listFiles()
const pages = files.filter(file => file.endsWith('.md')).map(readPage)
const byPath = new Map(pages.map(page => [page.path, page]))
const index = byPath.get('internal/docs/README.md')

t.test('every link leads to a file, and what is behind its # to a heading', async t => {
  t.ok(pages.length > 20)
  for (const page of pages)
    for (const { line, target, anchor } of linksOf(page)) {
      const where = `${page.path}:${line} ${target}#${anchor}`
      t.ok(exists(target), where)
      const other = byPath.get(target)
      if (anchor !== '' && other !== undefined) t.ok(anchorsOf(other).has(anchor), where)
    }
})

t.test('every page of the manual is in its index', async t => {
  const linked = new Set(index === undefined ? [] : linksOf(index).map(({ target }) => target))
  for (const { path } of pages)
    if (path.startsWith('internal/docs/') && path !== index?.path) t.ok(linked.has(path), path)
})

/** In a path of an example, a word in capitals is the reader's. */
const isExample = (path: string): boolean => /[A-Z]{4,}|\*|…/.test(path)

t.test('every path in code exists', async t => {
  const roots = /^(?:internal|cmd|deployments|\.config|\.ci)\//
  for (const page of pages)
    for (const { number, text, kind } of page.lines) {
      const quoted = kind === 'code' ? [] : [...text.matchAll(/`([^`\s]+)`/g)]
      for (const [, path = ''] of quoted) {
        if (isExample(path)) continue
        if (roots.test(path)) t.ok(exists(path), `${page.path}:${number} ${path}`)
        else if (/^[\w./-]+\.ts$/.test(path)) t.ok(isEnd(path), `${page.path}:${number} ${path}`)
      }
    }
})

t.test('every source file in a picture exists', async t => {
  for (const { blocks } of pages)
    for (const { page, line, language, lines } of blocks)
      if (language === 'mermaid')
        for (const [path] of lines.join('\n').matchAll(/[\w/-]+\.ts\b/g))
          t.ok(isEnd(path), `${page}:${line} ${path}`)
})

/** A file may be named by the end of its path. */
const isEnd = (path: string): boolean =>
  files.some(file => file === path || file.endsWith(`/${path}`))

t.test(`no cell of a table is longer than ${MAX_CELL} characters`, async t => {
  for (const page of pages)
    for (const { number, text, kind } of page.lines)
      if (kind === 'table')
        for (const cell of text.split(/(?<!\\)\|/))
          t.ok(cell.trim().length <= MAX_CELL, `${page.path}:${number} ${cell.trim().slice(0, 40)}`)
})

t.test(`the README has at most ${MAX_README_LINES} lines`, async t => {
  t.ok((byPath.get('README.md')?.lines.length ?? Infinity) <= MAX_README_LINES + 1)
})

t.test('a line has one sentence', async t => {
  for (const page of pages)
    for (const { number, text, kind } of page.lines)
      if (kind === 'prose')
        t.notMatch(plain(text), /[\p{Ll}\p{N})%”`][.!?]["”)]? +["“(*`[]*\p{Lu}/u, at(page, number))
})

const at = ({ path }: MarkdownPage, line: number): string => `${path}:${line}`

/** Without code, quotes, targets of links, the mark of a list, and bold words at the start. */
const plain = (text: string): string =>
  withoutCode(text)
    .replaceAll(/“[^”]*”/g, '“”')
    .replaceAll(/\]\([^)]*\)/g, '')
    .replace(/^\s*(?:(?:[-*]|\d+\.) )?(?:\*\*[^*]+\*\*)?/, '')

t.test('every block says its language, and what its examples are', async t => {
  for (const { blocks } of pages)
    for (const { page, line, language, mark } of blocks)
      t.ok(LANGUAGES[language]?.includes(mark), `${page}:${line} ${language} ${mark}`)
})
