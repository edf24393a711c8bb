import { readFileSync } from 'node:fs'
import t from 'tap'
import { readProcessorConfig } from '../../systems/events/config/config.js'
import {
  COMPOSE_VALUES,
  formatEnvTemplate,
  formatTables,
  replaceBetween,
  TABLES_BEGIN,
  TABLES_END
} from './format.js'
import { SETTING_GROUPS } from './groups.js'

const read = (name: string): string =>
  readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8')
const GENERATE = 'npm run env-template brings it up to date'

t.test('.env-template matches the settings', async t => {
  t.equal(read('.env-template'), formatEnvTemplate(SETTING_GROUPS), GENERATE)
})

t.test('the tables of the settings page match the settings', async t => {
  const page = read('internal/docs/settings.md')
  t.equal(page, replaceBetween(page, formatTables(SETTING_GROUPS)), GENERATE)
})

t.test('the template names each setting once, with its value or commented out', async t => {
  const lines = formatEnvTemplate(SETTING_GROUPS).split('\n')
  const names = SETTING_GROUPS.flatMap(({ settings }) => Object.keys(settings))
  t.ok(names.length > 40)
  for (const name of names) {
    const found = lines.filter(line => line.startsWith(`${name}=`) || line.startsWith(`#${name}=`))
    t.equal(found.length, 1, name)
  }
  t.ok(lines.includes('#POLLERS=10'), 'an optional one shows its default')
  t.ok(lines.includes('QUEUE_NAME=events'), 'one that the containers need is set')
})

t.test('the unchanged template is a valid configuration for the containers', async t => {
  const set = formatEnvTemplate(SETTING_GROUPS)
    .split('\n')
    .filter(line => /^[A-Z]/.test(line))
    .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
  t.same(Object.fromEntries(set), COMPOSE_VALUES)
  const { services, queue } = readProcessorConfig(Object.fromEntries(set))
  t.match(services, {
    kind: 'external',
    aws: { region: 'us-east-1', endpoint: 'http://127.0.0.1:4566' }
  })
  t.equal(queue.queueName, 'events')
})

t.test('only the text between the markers is replaced, and without them nothing is', async t => {
  const before = `# A\n\n${TABLES_BEGIN}\n\nold\n${TABLES_END}\n\nthe rest\n`
  t.equal(
    replaceBetween(before, 'new'),
    `# A\n\n${TABLES_BEGIN}\n\nnew\n${TABLES_END}\n\nthe rest\n`
  )
  t.throws(() => replaceBetween('# A\n', 'new'), { name: 'RangeError' })
  t.throws(
    () => replaceBetween(`${TABLES_END}\n${TABLES_BEGIN}\n`, 'new'),
    { name: 'RangeError' },
    'in the wrong order'
  )
})

t.test('a setting that two groups share is shown once, in the first of them', async t => {
  const shared = { type: 'string', description: 'Shared' } as const
  const groups = [
    { heading: 'One', settings: { SHARED: shared } },
    { heading: 'Two', settings: { SHARED: shared, OWN: shared } }
  ]
  const lines = formatEnvTemplate(groups).split('\n')
  t.same(
    lines.filter(line => /^(# ----|#\w+=)/.test(line)),
    ['# ---- One ----', '#SHARED=', '# ---- Two ----', '#OWN=']
  )
})
