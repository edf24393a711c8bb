import { existsSync } from 'node:fs'
import t from 'tap'
import type { Setting } from '../engine/config/setting.js'
import { SYSTEMS } from './systems.js'

const root = new URL('../../', import.meta.url)

const repeated = (words: readonly string[]): readonly string[] =>
  words.filter((word, index) => words.indexOf(word) !== index)

t.test('each name, SQL schema and program belongs to one system', async t => {
  const programs = SYSTEMS.flatMap(system => system.programs)
  const schemas = SYSTEMS.flatMap(({ migrations }) => migrations.schema ?? [])
  t.same(repeated(SYSTEMS.map(({ name }) => name)), [])
  t.same(repeated(schemas), [])
  t.same(repeated(programs.map(({ name }) => name)), [])
  t.same(repeated(programs.flatMap(({ portSetting }) => portSetting ?? [])), [])
})

t.test('the admin program has the commands of every system, each name once', async t => {
  const names: string[] = []
  for (const { name, loadAdmin } of SYSTEMS) {
    const admin = await loadAdmin?.()
    if (admin === undefined) continue
    t.not(admin.introduction, '', name)
    names.push(...admin.commands({}).map(command => command.name))
  }
  t.ok(names.includes('rejections'))
  t.same(repeated(names), [])
})

t.test('each system has a folder, its migrations and entry points', async t => {
  for (const { name, migrations, programs } of SYSTEMS) {
    t.ok(existsSync(new URL(`internal/systems/${name}/system.ts`, root)), name)
    t.ok(existsSync(migrations.dir), `${name}: migrations`)
    for (const program of programs)
      t.ok(existsSync(new URL(`cmd/${program.name}/index.ts`, root)), program.name)
  }
})

t.test('a port is a setting of the system; a setting that systems share is one', async t => {
  const known = new Map<string, Setting>()
  for (const { settings, programs } of SYSTEMS) {
    const own = settings.flatMap(group => Object.entries(group.settings))
    for (const [name, setting] of own) {
      t.equal(known.get(name) ?? setting, setting, name)
      known.set(name, setting)
    }
    const names = own.map(([name]) => name)
    for (const { name, portSetting } of programs)
      t.ok(portSetting === null || names.includes(portSetting), name)
  }
})
