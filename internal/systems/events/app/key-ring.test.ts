import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { readSenderConfig } from '../config/config.js'
import { openKeyRing } from './key-ring.js'

const place = { clientId: 'client-1', endpointId: '1', field: 'secret' }

t.test('with embedded services a key is made once, readable by its owner, and kept', async t => {
  const dataDir = join(t.testdir({}), 'data')
  const config = readSenderConfig({ DATA_DIR: dataDir })
  const sealed = openKeyRing(config).seal('hush', place)
  t.equal(openKeyRing(config).open(sealed, place), 'hush')
  t.same(readdirSync(dataDir), ['sender-secret-key'], 'no draft is left')
  t.equal(statSync(join(dataDir, 'sender-secret-key')).mode & 0o777, 0o600)
})

t.test('programs that start at once agree on one key', async t => {
  const dataDir = t.testdir({})
  const built = (file: string): string =>
    new URL(`../../../../dist/internal/systems/events/${file}`, import.meta.url).href
  const program = `
    import { readSenderConfig } from '${built('config/config.js')}'
    import { openKeyRing } from '${built('app/key-ring.js')}'
    const keys = openKeyRing(readSenderConfig({ DATA_DIR: ${JSON.stringify(dataDir)} }))
    const place = ${JSON.stringify(place)}
    process.stdout.write(keys.seal('hush', place).box.toString('base64'))`
  const boxes = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
        stdio: ['ignore', 'pipe', 'inherit']
      })
      const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
      return output
    })
  )
  const keys = openKeyRing(readSenderConfig({ DATA_DIR: dataDir }))
  for (const box of boxes)
    t.equal(keys.open({ keyId: 'embedded', box: Buffer.from(box, 'base64') }, place), 'hush')
})

t.test('a file without a key is never replaced; the error names it and a remedy', async t => {
  const dataDir = t.testdir({ 'sender-secret-key': 'planted' })
  const config = readSenderConfig({ DATA_DIR: dataDir })
  t.throws(() => openKeyRing(config), {
    name: 'ExpectedError',
    message: /sender-secret-key holds no valid key/
  })
  t.equal(readFileSync(join(dataDir, 'sender-secret-key'), 'utf8'), 'planted')
  writeFileSync(join(dataDir, 'sender-secret-key'), '')
  t.throws(() => openKeyRing(config), { name: 'ExpectedError' }, 'an empty one')
})

t.test('the setting wins over the file', async t => {
  const dataDir = t.testdir({ 'sender-secret-key': 'planted' })
  const key = `mine:${Buffer.alloc(32, 1).toString('base64')}`
  t.equal(
    openKeyRing(readSenderConfig({ DATA_DIR: dataDir, SENDER_SECRET_KEYS: key })).currentKeyId,
    'mine'
  )
})
