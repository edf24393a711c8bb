import { readFileSync } from 'node:fs'
import t from 'tap'
import { isRecent } from './node-version.js'

t.test('versions are compared number by number, and the oldest one is enough', async t => {
  const rows: readonly (readonly [string, boolean])[] = [
    ['v9.0.0', false],
    ['v20.20.2', false],
    ['v22.9.0', false],
    ['v22.18.9', false],
    ['v22.19.0', true],
    ['v22.100.0', true],
    ['v24.0.0', true]
  ]
  for (const [version, want] of rows) t.equal(isRecent(version, '22.19'), want, version)
})

t.test('package.json names the oldest Node as one version', async t => {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  t.match((JSON.parse(text) as { engines: object }).engines, { node: /^>=\d+[.]\d+$/ })
})
