import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import { type LedgerEntry, openLedger } from './ledger.js'
import { readLedger } from './ledger-reader.js'

const entry = (id: string, over: Partial<LedgerEntry> = {}): LedgerEntry => ({
  queueMessageId: id,
  clientId: 'client-1',
  eventType: 'user-app',
  eventId: null,
  payloadSha256: 'a'.repeat(64),
  valid: true,
  bytes: 350,
  ...over
})
const line = (id: string): string => `${JSON.stringify(entry(id))}\n`

async function readAll(file: string): Promise<{ ids: string[]; torn: number[] }> {
  const ids: string[] = []
  const torn: number[] = []
  for await (const { queueMessageId } of readLedger(file, line => torn.push(line)))
    ids.push(queueMessageId)
  return { ids, torn }
}

const fileIn = (t: Test, content?: string): Promise<string> => {
  const file = join(t.testdir(), 'ledger.ndjson')
  return content === undefined ? Promise.resolve(file) : writeFile(file, content).then(() => file)
}

t.test('entries are read in the order in which they were appended', async t => {
  const file = await fileIn(t)
  const ledger = await openLedger(file, createManualClock())
  const entries = [
    entry('1', { clientId: 'line\u2028separator\n"é"' }),
    entry('2', { valid: false, eventType: null, payloadSha256: null }),
    entry('3')
  ]
  await Promise.all([ledger.append(entries.slice(0, 2)), ledger.append(entries.slice(2))])
  await ledger.close()
  await ledger.close()
  const read: LedgerEntry[] = []
  for await (const one of readLedger(file, () => undefined)) read.push(one)
  t.same(read, entries)
})

t.test('append resolves once the lines are in the file', async t => {
  const file = await fileIn(t)
  const ledger = await openLedger(file, createManualClock())
  for (const id of ['1', '2', '3']) {
    await ledger.append([entry(id)])
    t.equal((await readFile(file, 'utf8')).split('\n').length, Number(id) + 1)
  }
  await ledger.close()
  await t.rejects(ledger.append([entry('4')]), { name: 'LedgerError' })
})

t.test('concurrent appends neither lose nor repeat an entry', async t => {
  const file = await fileIn(t)
  const clock = createManualClock()
  const ledger = await openLedger(file, clock)
  const ids = Array.from({ length: 500 }, (_, n) => String(n))
  const appends = ids.map(id => ledger.append([entry(id)]))
  await clock.advanceAsync(3_000)
  await Promise.all(appends)
  await ledger.close()
  t.same((await readAll(file)).ids, ids)
  t.equal(clock.pending(), 0, 'no timer is left behind')
})

t.test('an existing ledger is continued after its torn last line has been removed', async t => {
  const file = await fileIn(t, `${line('1')}${line('2').slice(0, 40)}`)
  const ledger = await openLedger(file, createManualClock())
  await ledger.append([entry('3')])
  await ledger.close()
  t.same(await readAll(file), { ids: ['1', '3'], torn: [] })
})

t.test('a torn last line is tolerated and its number reported', async t => {
  for (const length of [1, 40, line('3').length - 2]) {
    const file = await fileIn(t, `${line('1')}${line('2')}${line('3').slice(0, length)}`)
    t.same(await readAll(file), { ids: ['1', '2'], torn: [3] }, `${length} characters of it`)
  }
  const whole = await fileIn(t, `${line('1')}${line('2').trimEnd()}`)
  t.same(await readAll(whole), { ids: ['1', '2'], torn: [] }, 'only the newline is missing')
})

t.test('an empty ledger has no entries', async t => {
  t.same(await readAll(await fileIn(t, '')), { ids: [], torn: [] })
})

t.test('any other line that is not an entry is an error that names its number', async t => {
  const rows = [
    {
      content: `${line('1')}{"queueMess\n${line('3')}`,
      message: /^Line 2 of the ledger is not an entry: it is not JSON/
    },
    { content: `${line('1')}\n`, message: /^Line 2 / },
    { content: `${line('1')}${line('2').slice(0, 40)}\n`, message: /^Line 2 / },
    {
      content: `[]\n`,
      message:
        /^Line 1 .*queueMessageId, clientId, eventType, eventId, payloadSha256, valid, bytes missing/
    },
    {
      content: `${JSON.stringify({ ...entry('1'), valid: 'yes', bytes: 1.5 })}\n`,
      message: /: valid, bytes missing or of the wrong type$/
    },
    { content: `null`, message: /^Line 1 .*not an object/ },
    { content: `"${'x'.repeat(70_000)}`, message: /^Line 1 of the ledger is longer/ }
  ]
  for (const { content, message } of rows) {
    await t.rejects(readAll(await fileIn(t, content)), { name: 'LedgerError', message })
  }
})

t.test('a file that is not a ledger is not continued', async t => {
  const file = await fileIn(t, 'x'.repeat(70_000))
  await t.rejects(openLedger(file, createManualClock()), { name: 'LedgerError' })
  t.equal((await readFile(file)).length, 70_000)
})

t.test('a file that cannot be opened is an expected error that names it', async t => {
  const file = join(t.testdir(), 'no', 'such', 'ledger')
  const expected = {
    name: 'LedgerError',
    message: /^The ledger .*such.ledger cannot be used: ENOENT/
  }
  await t.rejects(openLedger(file, createManualClock()), expected)
  await t.rejects(readAll(file), expected)
})

t.test('a ledger that holds only a torn line is continued as an empty one', async t => {
  const file = await fileIn(t, line('1').slice(0, 40))
  const ledger = await openLedger(file, createManualClock())
  await ledger.append([entry('2')])
  await ledger.close()
  t.same(await readAll(file), { ids: ['2'], torn: [] })
})

t.test('a line may be longer than one read of the file', async t => {
  const long = `${JSON.stringify(entry('2', { clientId: 'é'.repeat(30_000) }))}\n`
  const file = await fileIn(t, line('1'))
  await appendFile(file, `${long}${line('3')}`)
  t.same((await readAll(file)).ids, ['1', '2', '3'])
})
