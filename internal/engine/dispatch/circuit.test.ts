import t from 'tap'
import { type Circuit, createCircuit } from './circuit.js'

const middle = (): number => 0.5
const fail = (circuit: Circuit) => circuit.attempt(() => Promise.resolve({ isFailure: true }))
const succeed = (circuit: Circuit) => circuit.attempt(() => Promise.resolve({ isFailure: false }))

async function failTimes(circuit: Circuit, times: number): Promise<void> {
  for (let n = 0; n < times; n++) await fail(circuit)
}

t.test(
  'ten failures in a row open the circuit; a success in between restarts the count',
  async t => {
    const circuit = createCircuit(0, middle)
    await failTimes(circuit, 9)
    t.equal(circuit.pauseMs, null)
    await succeed(circuit)
    await failTimes(circuit, 9)
    t.equal(circuit.pauseMs, null)
    await fail(circuit)
    t.equal(circuit.opened, 1)
    t.equal(circuit.pauseMs, 7_500)
  }
)

t.test('an open circuit makes no attempt', async t => {
  const circuit = createCircuit(0, middle)
  await failTimes(circuit, 10)
  t.equal(await succeed(circuit), null)
})

t.test('after a pause one attempt is made; the others wait for its outcome', async t => {
  const circuit = createCircuit(1, middle)
  let answer = (_: { isFailure: boolean }): void => undefined
  let begun = 0
  const slow = circuit.attempt(() => {
    begun += 1
    return new Promise<{ isFailure: boolean }>(resolve => (answer = resolve))
  })
  const others = Array.from({ length: 3 }, () =>
    circuit.attempt(() => {
      begun += 1
      return Promise.resolve({ isFailure: false })
    })
  )
  await Promise.resolve()
  t.equal(begun, 1)
  answer({ isFailure: true })
  t.same(await slow, { isFailure: true }, 'the attempt itself gets its result')
  t.same(await Promise.all(others), [null, null, null])
  t.equal(begun, 1)
})

t.test('a success after a pause closes the circuit, and waiting attempts go on', async t => {
  const circuit = createCircuit(3, middle)
  const all = await Promise.all([succeed(circuit), succeed(circuit), succeed(circuit)])
  t.same(all, [{ isFailure: false }, { isFailure: false }, { isFailure: false }])
  t.equal(circuit.opened, 0)
  t.equal(circuit.pauseMs, null)
  await failTimes(circuit, 9)
  t.equal(circuit.pauseMs, null, 'it takes ten again')
})

t.test('each pause is longer than the one before, up to five minutes', async t => {
  const pauses: (number | null)[] = []
  for (let opened = 0; opened < 8; opened++) {
    const circuit = createCircuit(opened, () => 1)
    await failTimes(circuit, opened === 0 ? 10 : 1)
    t.equal(circuit.opened, opened + 1)
    pauses.push(circuit.pauseMs)
  }
  t.same(pauses, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000])
})

t.test('an error thrown by an attempt is passed on', async t => {
  const circuit = createCircuit(0, middle)
  await t.rejects(
    circuit.attempt(() => Promise.reject(new Error('a bug'))),
    { message: 'a bug' }
  )
})
