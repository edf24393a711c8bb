import t from 'tap'
import { isRecent } from './node-version.js'

t.test('Node 22.19 is the oldest that will do', async t => {
  const rows: readonly (readonly [string, boolean])[] = [
    ['v20.20.2', false],
    ['v22.18.9', false],
    ['v22.19.0', true],
    ['v24.0.0', true]
  ]
  for (const [version, want] of rows) t.equal(isRecent(version), want, version)
})
