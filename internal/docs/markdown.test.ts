import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  exists,
  headingAnchors,
  linksOf,
  listFiles,
  readPage,
  repositoryPath,
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
  const wrong = pages.flatMap(page =>
    linksOf(page)
      .filter(({ target, anchor }) => !exists(target) || !hasAnchor(target, anchor))
      .map(({ line, target, anchor }) => `${page.path}:${line} ${target}#${anchor}`)
  )
  t.same(wrong, [])
})

function hasAnchor(target: string, anchor: string): boolean {
  const page = byPath.get(target)
  return anchor === '' || page === undefined || headingAnchors(page).has(anchor)
}

t.test('every page of the manual is in its index', async t => {
  const linked = new Set(index === undefined ? [] : linksOf(index).map(({ target }) => target))
  const manual = pages.map(({ path }) => path).filter(path => path.startsWith('internal/docs/'))
  t.same(
    manual.filter(path => path !== index?.path && !linked.has(path)),
    []
  )
})

t.test('every path in code exists', async t => {
  const wrong = linesOf('prose', 'table', 'heading').flatMap(({ where, text }) =>
    Array.from(text.matchAll(/`([^`\s]+)`/g), ([, path = '']) => path)
      .filter(path => !isExample(path) && !isRight(path))
      .map(path => `${where} ${path}`)
  )
  t.same(wrong, [])
})

/** In a path of an example, a word in capitals is the reader's. */
const isExample = (path: string): boolean => /[A-Z]{4,}|\*|…/.test(path)

function isRight(path: string): boolean {
  if (/^(?:internal|cmd|deployments|\.config|\.ci)\//.test(path)) return exists(path)
  return !/^[\w./-]+\.ts$/.test(path) || isEnd(path)
}

/** A file may be named by the end of its path. */
const isEnd = (path: string): boolean =>
  files.some(file => file === path || file.endsWith(`/${path}`))

t.test('every source file in a picture exists', async t => {
  const pictures = pages
    .flatMap(({ blocks }) => blocks)
    .filter(({ language }) => language === 'mermaid')
  const named = pictures.flatMap(({ lines }) => lines.join('\n').match(/[\w/-]+\.ts\b/g) ?? [])
  t.ok(named.length > 5)
  t.same(
    named.filter(path => !isEnd(path)),
    []
  )
})

t.test(`no cell of a table is longer than ${MAX_CELL} characters`, async t => {
  const wrong = linesOf('table').filter(({ text }) =>
    text.split(/(?<!\\)\|/).some(cell => cell.trim().length > MAX_CELL)
  )
  t.same(wrong, [])
})

t.test(`the README has at most ${MAX_README_LINES} lines`, async t => {
  t.ok((byPath.get('README.md')?.lines.length ?? Infinity) <= MAX_README_LINES + 1)
})

t.test('a line has one sentence', async t => {
  const next = /[\p{Ll}\p{N})%”`][.!?]["”)]? +["“(*`[]*\p{Lu}/u
  t.same(
    linesOf('prose').filter(({ text }) => next.test(plain(text))),
    []
  )
})

/** Without code, quotes, link targets, list marks, and bold words at the start. */
const plain = (text: string): string =>
  withoutCode(text)
    .replaceAll(/“[^”]*”/g, '“”')
    .replaceAll(/\]\([^)]*\)/g, '')
    .replace(/^\s*(?:(?:[-*]|\d+\.) )?(?:\*\*[^*]+\*\*)?/, '')

t.test('every block says its language, and what its examples are', async t => {
  const wrong = pages
    .flatMap(({ blocks }) => blocks)
    .filter(({ language, mark }) => LANGUAGES[language]?.includes(mark) !== true)
  t.same(wrong, [])
})

t.test('code that is shown is in the file that it names, line by line', async t => {
  const excerpts = pages.flatMap(({ blocks }) => blocks).filter(({ language }) => language === 'ts')
  t.ok(excerpts.length > 2)
  const wrong = excerpts.filter(({ lines: [first = '', ...shown] }) => {
    const path = first.replace('// ', '')
    if (!exists(path)) return true
    let rest = readFileSync(repositoryPath(path), 'utf8').split('\n')
    return shown.some(line => {
      const at = rest.indexOf(line)
      rest = rest.slice(at + 1)
      return at === -1
    })
  })
  t.same(wrong, [])
})

function linesOf(...kinds: readonly string[]): readonly { where: string; text: string }[] {
  return pages.flatMap(({ path, lines }) =>
    lines
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ number, text }) => ({ where: `${path}:${number}`, text }))
  )
}
