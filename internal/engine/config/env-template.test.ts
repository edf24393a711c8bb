import { readFileSync } from 'node:fs'
import t from 'tap'
import { readProcessorConfig } from '../../systems/events/config/config.js'
import { SETTINGS } from '../../systems/events/config/settings.js'
import {
  COMPOSE_VALUES,
  formatEnvTemplate,
  formatReadmeTables,
  README_BEGIN,
  README_END,
  replaceBetween
} from './env-template.js'

const read = (name: string): string =>
  readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8')
const GENERATE = 'npm run env-template writes it again'

t.test('.env-template is what the settings say', async t => {
  t.equal(read('.env-template'), formatEnvTemplate(), GENERATE)
})

t.test('the README’s tables are what the settings say', async t => {
  const readme = read('README.md')
  t.equal(readme, replaceBetween(readme, formatReadmeTables()), GENERATE)
})

t.test('the template names each setting once, with its value or commented out', async t => {
  const lines = formatEnvTemplate().split('\n')
  for (const name of Object.keys(SETTINGS)) {
    const found = lines.filter(line => line.startsWith(`${name}=`) || line.startsWith(`#${name}=`))
    t.equal(found.length, 1, name)
  }
  t.ok(lines.includes('#POLLERS=10'), 'an optional one shows its default')
  t.ok(lines.includes('QUEUE_NAME=events'), 'one that the containers need is set')
})

t.test('the template as it is makes a valid configuration for the containers', async t => {
  const set = formatEnvTemplate()
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

t.test('only what stands between the markers is replaced, and without them nothing is', async t => {
  const before = `# A\n\n${README_BEGIN}\n\nold\n${README_END}\n\nthe rest\n`
  t.equal(
    replaceBetween(before, 'new'),
    `# A\n\n${README_BEGIN}\n\nnew\n${README_END}\n\nthe rest\n`
  )
  t.throws(() => replaceBetween('# A\n', 'new'), { name: 'RangeError' })
  t.throws(
    () => replaceBetween(`${README_END}\n${README_BEGIN}\n`, 'new'),
    { name: 'RangeError' },
    'in the wrong order'
  )
})
