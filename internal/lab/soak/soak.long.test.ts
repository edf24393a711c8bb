import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startProgram, temporaryDirectory } from '../testing/programs.js'
import type { SoakOutcome } from './run.js'

t.test('a soak of a few seconds loses nothing and reports its figures', async t => {
  const directory = temporaryDirectory(t)
  const file = join(directory, 'soak.json')
  const program = startProgram(t, 'soak', { DATA_DIR: directory }, [
    '--minutes',
    '0.1',
    '--workers',
    '1',
    '--json',
    file
  ])
  await program.exited
  t.match(program.output, `Figures: ${file}`)
  const { sent, decided, samples, sentPerSecond, sustainedPerSecond } = JSON.parse(
    readFileSync(file, 'utf8')
  ) as SoakOutcome
  t.equal(decided.stored, sent.stored)
  t.equal(decided.rejected, sent.rejected)
  t.ok(decided.duplicates >= sent.duplicates)
  t.ok(sent.duplicates > 0 && sent.rejected > 0)
  t.equal(sentPerSecond, Math.round(sustainedPerSecond * 0.7))
  t.ok(samples.length >= 10)
  if (process.platform === 'linux')
    t.ok(
      samples.every(({ processes }) => processes.length === 2),
      'the primary and a worker'
    )
})
