/**
 * The Markdown files of this repository, parsed for tests.
 *
 * Shapes  a page is a list of lines, each with its kind; a block is the text between two
 *         fences, with the words after the opening fence.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.data', '.tap', 'bench-results'])

interface MarkdownLine {
  /** From 1. */
  readonly number: number
  readonly text: string
  readonly kind: 'prose' | 'table' | 'heading' | 'code'
}

export interface MarkdownBlock {
  readonly page: string
  /** Of the opening fence, from 1. */
  readonly line: number
  readonly language: string
  /** The words after the language. */
  readonly mark: string
  readonly lines: readonly string[]
}

export interface MarkdownPage {
  /** From the root of the checkout. */
  readonly path: string
  readonly lines: readonly MarkdownLine[]
  readonly blocks: readonly MarkdownBlock[]
}

export const repositoryPath = (path: string): string => join(ROOT, path)

/** All files of the checkout, without installed and generated ones. */
export function listFiles(folder = ROOT): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    if (NOT_OURS.has(entry.name)) return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? listFiles(path) : [relative(ROOT, path)]
  })
}

export function readPage(path: string): MarkdownPage {
  const lines: MarkdownLine[] = []
  const blocks: MarkdownBlock[] = []
  let open: { readonly line: number; readonly info: string; readonly lines: string[] } | null = null
  for (const [index, text] of readFileSync(repositoryPath(path), 'utf8').split('\n').entries()) {
    const number = index + 1
    const fence = /^\s*```(.*)$/.exec(text)
    if (fence === null) {
      open?.lines.push(text)
      lines.push({ number, text, kind: open === null ? kindOf(text) : 'code' })
      continue
    }
    lines.push({ number, text, kind: 'code' })
    if (open === null) {
      open = { line: number, info: fence[1] ?? '', lines: [] }
      continue
    }
    const [language = '', ...mark] = open.info.split(' ')
    blocks.push({ page: path, line: open.line, language, mark: mark.join(' '), lines: open.lines })
    open = null
  }
  if (open !== null) throw new Error(`${path}: the block of line ${open.line} has no end`)
  return { path, lines, blocks }
}

function kindOf(text: string): MarkdownLine['kind'] {
  if (text.startsWith('|')) return 'table'
  return text.startsWith('#') ? 'heading' : 'prose'
}

/** The valid `#…` anchors of a page: its headings as GitHub writes them. */
export function headingAnchors({ lines }: MarkdownPage): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const { text, kind } of lines) {
    if (kind !== 'heading') continue
    const anchor = text
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')
    let name = anchor
    for (let copy = 1; anchors.has(name); copy++) name = `${anchor}-${copy}`
    anchors.add(name)
  }
  return anchors
}

/** The targets of this page's links: a path from the root, and the part after the #. */
export function linksOf({ path, lines }: MarkdownPage): readonly {
  readonly line: number
  readonly target: string
  readonly anchor: string
}[] {
  return lines
    .filter(({ kind }) => kind !== 'code')
    .flatMap(({ number, text }) =>
      Array.from(withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g), ([, link = '']) => ({
        number,
        link
      }))
    )
    .filter(({ link }) => !/^[a-z]+:/.test(link))
    .map(({ number, link }) => {
      const [file = '', anchor = ''] = link.split('#')
      return {
        line: number,
        target: file === '' ? path : join(dirname(path), file),
        anchor
      }
    })
}

/** The text without its inline code. */
export const withoutCode = (text: string): string => text.replaceAll(/`[^`]*`/g, '``')

export const exists = (path: string): boolean => existsSync(repositoryPath(path))
