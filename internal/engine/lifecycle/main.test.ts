import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startEntry, temporaryDirectory } from '../../lab/testing/programs.js'

t.test('an uncaught error ends the program with its stack and none of its properties', async t => {
  const main = new URL('../../../dist/internal/engine/lifecycle/main.js', import.meta.url).href
  const script = join(temporaryDirectory(t), 'program.mjs')
  for (const [how, raise] of [
    ['an exception in a callback', 'setImmediate(() => { throw error })'],
    ['a rejection that is not handled', 'void Promise.reject(error)']
  ] as const) {
    writeFileSync(
      script,
      `import { main } from ${JSON.stringify(main)}
       const error = Object.assign(new Error('what happened'), { detail: 'Failing row contains (planted)', client: { values: ['planted'] } })
       await main(async () => ({ run: () => new Promise(() => { ${raise}; setInterval(() => undefined, 1_000) }) }))`
    )
    const program = startEntry(t, { name: 'program', entry: script, env: {} })
    t.equal(await program.exited, 1, how)
    t.match(program.output, /^Error: what happened\n\s+at /, how)
    t.notMatch(program.output, 'planted', how)
  }
})

t.test('a finished program exits, and names what it has left open', async t => {
  const main = new URL('../../../dist/internal/engine/lifecycle/main.js', import.meta.url).href
  const script = join(temporaryDirectory(t), 'program.mjs')
  writeFileSync(
    script,
    `import { createServer } from 'node:net'
     import { main } from ${JSON.stringify(main)}
     await main(async () => ({ run: () => new Promise(resolve => createServer().listen(0, '127.0.0.1', resolve)) }))`
  )
  const program = startEntry(t, { name: 'program', entry: script, env: {} })
  t.equal(await program.exited, 0)
  t.match(program.output, /^exiting although something is still open: .*TCPServerWrap/)
})
