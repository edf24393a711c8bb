/**
 * The glossary promises one word for each thing, and so one thing for each word: an
 * exported name is defined once in the whole repository.
 */
import { globSync, readFileSync } from 'node:fs'
import t from 'tap'
import ts from 'typescript'

/** Names that may be defined several times, and why. */
const ALLOWED: Readonly<Record<string, string>> = {
  up: 'every migration has one: node-pg-migrate looks for it',
  down: 'the same'
}

/** What a source exports that is defined in it. */
function exportedNames(text: string): readonly string[] {
  const source = ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest)
  const names = source.statements.flatMap(statement => {
    if (ts.isExportDeclaration(statement)) return namesOfList(statement)
    if (!isExported(statement)) return []
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.flatMap(({ name }) => namesIn(name))
    const { name } = statement as { readonly name?: ts.Node }
    return name !== undefined && ts.isIdentifier(name) ? [name.text] : []
  })
  return [...new Set(names)]
}

const isExported = (statement: ts.Statement): boolean =>
  ts.canHaveModifiers(statement) &&
  (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)

/** `export { a, b as c }`; what comes from another module is defined there. */
function namesOfList({ exportClause, moduleSpecifier }: ts.ExportDeclaration): readonly string[] {
  if (moduleSpecifier !== undefined || exportClause === undefined) return []
  return ts.isNamedExports(exportClause) ? exportClause.elements.map(({ name }) => name.text) : []
}

/** `{ a, b: [c] }` names a and c. */
function namesIn(name: ts.BindingName): readonly string[] {
  if (ts.isIdentifier(name)) return [name.text]
  return name.elements.flatMap(element =>
    ts.isOmittedExpression(element) ? [] : namesIn(element.name)
  )
}

/** Each name that is defined in several files, with these. */
function definedTwice(
  sources: Iterable<readonly [file: string, text: string]>
): ReadonlyMap<string, readonly string[]> {
  const files = new Map<string, string[]>()
  for (const [file, text] of sources)
    for (const name of exportedNames(text)) files.set(name, [...(files.get(name) ?? []), file])
  return new Map([...files].filter(([, of]) => of.length > 1))
}

t.test('every form of an export is seen, and what is not exported is not', async t => {
  const text = `
    export const a = 1, { b, c: [d, , e] } = x
    export async function* f() {}
    export function f(x: string): void
    export abstract class G {}
    export interface H {}
    export type I = H
    export enum J {}
    export { k, l as m }
    export { n } from './n.js'
    export * from './o.js'
    export default class {}
    const p = 1
    function q() { return class R {} }`
  t.same(exportedNames(text), ['a', 'b', 'd', 'e', 'f', 'G', 'H', 'I', 'J', 'k', 'm'])
})

t.test('a name in two files is told with both, one in the same file is not', async t => {
  const twice = definedTwice([
    ['a.ts', 'export const one = 1; export type one = number'],
    ['b.ts', 'export function two() {}'],
    ['c.ts', 'export class two {}; export const one2 = 1']
  ])
  t.same([...twice], [['two', ['b.ts', 'c.ts']]])
})

t.test('no exported name is defined twice', async t => {
  const files = ['cmd', 'internal'].flatMap(folder =>
    globSync(`${folder}/**/*.ts`, { exclude: ['**/*.test.ts'] })
  )
  t.ok(files.length > 300, 'the sources are found')
  const twice = definedTwice(files.map(file => [file, readFileSync(file, 'utf8')] as const))
  const refused = [...twice].filter(([name]) => !Object.hasOwn(ALLOWED, name))
  t.same(
    refused.map(([name, where]) => `${name}: ${where.join(', ')}`),
    []
  )
  t.same(
    Object.keys(ALLOWED).filter(name => !twice.has(name)),
    [],
    'what is allowed is needed'
  )
})
