import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import {
  createLetterRecords,
  LETTER_COMMANDS,
  type LettersContext
} from '../../lab/testing/letters.js'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import { createMemoryQueue } from '../../lab/testing/memory-queue.js'
import { temporaryDirectory } from '../../lab/testing/programs.js'
import { parseCommandLine } from '../cli/command-line.js'
import { createOutput } from '../cli/output.js'

function setup(t: Test) {
  const clock = createManualClock(Date.UTC(2026, 0, 31, 9))
  const queue = createMemoryQueue({ clock, visibilityTimeoutS: 30 })
  t.teardown(() => queue.close())
  const records = createLetterRecords()
  records.refuse('Dear B,', 'anna')
  records.refuse('Dear C,', 'bert')
  records.refuse('Dear D,', 'bert', 'no-address')

  async function run(line: string) {
    const [results, remarks] = [new PassThrough(), new PassThrough()]
    const context: LettersContext = {
      records,
      queues: () => Promise.resolve({ queueName: 'letters', writer: queue }),
      clock,
      output: createOutput(results, remarks),
      signal: new AbortController().signal
    }
    const program = { name: '', introduction: '', conventions: '', exitCodes: '' }
    const parsed = parseCommandLine(
      line.split(' '),
      { ...program, commands: LETTER_COMMANDS },
      clock.epochMs()
    )
    const code = parsed.kind === 'help' ? 0 : await parsed.work(context)
    return { code, results: String(results.read() ?? ''), remarks: String(remarks.read() ?? '') }
  }
  return { run, queue, records }
}

t.test('ls lists newest first with the system’s columns, and counts by reason', async t => {
  const { run } = setup(t)
  t.same(await run('refused-letters ls --limit 2'), {
    code: 0,
    results:
      'received (UTC)       queue message  reason      sender  redriven  why\n' +
      '2026-01-31 08:00:02  q-002          no-address  bert    no        /stamp: is missing\n' +
      '2026-01-31 08:00:01  q-001          no-stamp    bert    no        /stamp: is missing\n',
    remarks: '\n2 of 3 shown (--limit N shows more): no-stamp 2, no-address 1\n'
  })
  const { results } = await run('refused-letters ls --sender anna --json')
  t.match(JSON.parse(results), {
    rejections: [{ queueMessageId: 'q-000', sender: 'anna', reason: 'no-stamp', bodyBytes: 7 }],
    total: 1,
    byReason: { 'no-stamp': 1 }
  })
  t.match(await run('refused-letters ls --since 1s'), { code: 0, remarks: 'No rejections.\n' })
})

t.test('show prints all about one rejection, or says where else to look', async t => {
  const { run } = setup(t)
  const { code, results } = await run('refused-letters show q-001')
  t.equal(code, 0)
  t.match(results, /queue message {2}q-001\nreason {9}no-stamp\nsender {9}bert\n/)
  t.match(results, 'violations\n  /stamp: is missing\nbody, 7 bytes:\nDear C,\n')
  t.match(await run('refused-letters show q-9'), {
    code: 1,
    remarks: 'No rejection has the queue message id q-9. The postman may know.\n'
  })
})

t.test('export writes one line each, oldest first, and never into an existing file', async t => {
  const { run } = setup(t)
  const { results, remarks } = await run('refused-letters export --sender bert')
  t.same(
    results
      .trim()
      .split('\n')
      .map(line => (JSON.parse(line) as { body: string }).body),
    ['Dear C,', 'Dear D,']
  )
  t.equal(remarks, '2 rejections written\n')
  const file = join(temporaryDirectory(t), 'letters.ndjson')
  t.match(await run(`refused-letters export --out ${file}`), { code: 0, results: '' })
  t.equal(readFileSync(file, 'utf8').split('\n').length, 4)
  await t.rejects(run(`refused-letters export --out ${file}`), /already exists: name a new file/)
})

t.test('redrive sends each rejection once, and a dry run sends nothing', async t => {
  const { run, queue, records } = setup(t)
  t.match(await run('refused-letters redrive --sender bert --dry-run'), {
    code: 0,
    remarks: '\n2 would be sent\n'
  })
  t.equal(queue.messages().length, 0)
  t.match(await run('refused-letters redrive --sender bert'), {
    code: 0,
    remarks: '2 sent to letters and marked as redriven, 0 left\n'
  })
  t.same(records.redriven(), ['q-001', 'q-002'])
  t.match(await run('refused-letters redrive --all --json'), { code: 0, results: /"sent": 1/ })
  t.equal(queue.messages().length, 3)
  t.match(await run('refused-letters redrive q-001 q-9'), {
    code: 1,
    remarks: 'No rejection has the queue message id q-9\n0 sent to letters'
  })
})

t.test('redrive needs a selection, and offers a recheck only if the system has one', async t => {
  const { run } = setup(t)
  await t.rejects(
    run('refused-letters redrive'),
    /say which rejections to send: .*--sender, --reason/
  )
  await t.rejects(
    run('refused-letters redrive --all --schema-fixed'),
    /--schema-fixed is not an option/
  )
})
