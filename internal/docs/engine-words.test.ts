import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { SYSTEMS } from '../systems/systems.js'

const ENGINE = fileURLToPath(new URL('../engine', import.meta.url))
/** What only a system may say: its tables, its fields, its name in a path. */
const WORDS = /clientId|eventType|event_process|client_id|event_type|systems\/\w+/

const wordsIn = (text: string): readonly string[] =>
  text.split('\n').filter(line => WORDS.test(line))

t.test('the engine uses no word of a system, not even in tests and comments', async t => {
  const files = readdirSync(ENGINE, { recursive: true, encoding: 'utf8' }).filter(name =>
    name.endsWith('.ts')
  )
  t.ok(files.length > 100, 'the engine is found')
  t.same(
    files.flatMap(file => wordsIn(readFileSync(`${ENGINE}/${file}`, 'utf8')).map(l => [file, l])),
    []
  )
})

t.test('a word of a system is found, in code and in a path', async t => {
  t.same(wordsIn("const clientId = 'a'"), ["const clientId = 'a'"])
  for (const { name } of SYSTEMS) t.equal(wordsIn(`import '../../systems/${name}/x.js'`).length, 1)
  t.same(wordsIn('const line = lineOf(entry)'), [])
})
