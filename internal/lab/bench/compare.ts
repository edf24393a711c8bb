/**
 * Compares two JSON files of the bench: every figure that both have, with its ratio. A
 * figure is a median, or a plain number; its name is its path.
 *
 * Errors  ExpectedError for a file that cannot be read or is not the bench's.
 */
import { readFileSync } from 'node:fs'
import { formatFigures } from '../../engine/cli/table.js'
import { ExpectedError } from '../../engine/lifecycle/service.js'
import { BENCH_SCHEMA } from './output.js'

interface Document {
  readonly schema?: unknown
  readonly machine?: unknown
  readonly options?: unknown
  readonly scenarios?: unknown
  readonly byWorkers?: unknown
  readonly tableGrowth?: unknown
}

/** Fields that name an entry of a list; entries are matched by these, not by position. */
const KEYS = ['scenario', 'workers', 'rows']
/** Covered by other figures or by the names. */
const LEFT_OUT = new Set(['min', 'max', 'events', 'slices', 'title', ...KEYS])
/** Different in every run, so not a property of the machine. */
const PASSING = new Set(['loadBefore', 'syncMs.median', 'syncMs.min', 'syncMs.max'])

export function compareFiles(before: string, after: string): string {
  const [a, b] = [before, after].map(readDocument)
  return [`A  ${before}\nB  ${after}`, compareDocuments(a ?? {}, b ?? {})].join('\n\n')
}

export function compareDocuments(before: Document, after: Document): string {
  const a = figuresOf(before)
  const b = figuresOf(after)
  const common = [...a].flatMap(([name, value]) => {
    const other = b.get(name)
    return other === undefined
      ? []
      : [[name, figure(value), figure(other), value === 0 ? '–' : (other / value).toFixed(2)]]
  })
  const table =
    common.length === 0
      ? 'The two files have no figure in common.'
      : formatFigures([['figure', 'A', 'B', 'B / A'], ...common])
  return [table, ...differences(before, after)].join('\n\n')
}

/** What differs in machine, versions and options. */
function differences(before: Document, after: Document): readonly string[] {
  const a = flatten({ machine: before.machine, options: before.options })
  const b = flatten({ machine: after.machine, options: after.options })
  const lines = [...new Set([...a.keys(), ...b.keys()])].flatMap(name => {
    const [left, right] = [a.get(name), b.get(name)].map(value =>
      value === undefined ? 'none' : JSON.stringify(value)
    )
    return left === right || PASSING.has(name.replace('machine.', ''))
      ? []
      : [`  ${name}: ${left} → ${right}`]
  })
  return lines.length === 0
    ? []
    : [`These differ, and may explain the ratios:\n${lines.join('\n')}`]
}

function figuresOf({ scenarios, byWorkers, tableGrowth }: Document): ReadonlyMap<string, number> {
  const figures = new Map<string, number>()
  for (const [path, value] of flatten({ scenarios, byWorkers, tableGrowth })) {
    if (typeof value !== 'number') continue
    const steps = path.split('.').slice(1)
    const last = steps.at(-1) ?? ''
    if (!LEFT_OUT.has(last))
      figures.set((last === 'median' ? steps.slice(0, -1) : steps).join(' '), value)
  }
  return figures
}

/**
 * Every leaf by its path; an entry of a list is named by its key field, or else its
 * index.
 */
function flatten(value: unknown, path = ''): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null)
    return new Map(value === undefined ? [] : [[path, value]])
  const entries = Object.entries(value).map(
    ([key, child]) => [Array.isArray(value) ? (nameOf(child) ?? key) : key, child] as const
  )
  return new Map(
    entries.flatMap(([key, child]) => [...flatten(child, path === '' ? key : `${path}.${key}`)])
  )
}

function nameOf(thing: unknown): string | null {
  if (typeof thing !== 'object' || thing === null) return null
  for (const [key, value] of Object.entries(thing)) {
    if (KEYS.includes(key)) return key === 'scenario' ? String(value) : `${String(value)} ${key}`
  }
  return null
}

function figure(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(2)
}

function readDocument(file: string): Document {
  let document: Document
  try {
    document = JSON.parse(readFileSync(file, 'utf8')) as Document
  } catch (error) {
    throw new ExpectedError(
      `${file} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`
    )
  }
  if (document.schema !== BENCH_SCHEMA)
    throw new ExpectedError(
      `${file} is not a file of this bench: its schema is not ${BENCH_SCHEMA}.`
    )
  return document
}
