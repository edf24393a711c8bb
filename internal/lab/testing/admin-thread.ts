/**
 * Runs admin commands in a thread of the test's process, one after another. The modules,
 * whose loading dominates a short command's time, are loaded once.
 *
 * Shapes  a Command in, its exit code out; by then its output is in the thread's streams.
 */
import { once } from 'node:events'
import { parentPort } from 'node:worker_threads'
import { ExpectedError } from '../../engine/lifecycle/service.js'
import { createAdmin } from '../../systems/admin.js'

export interface ThreadCommand {
  readonly env: Readonly<Record<string, string>>
  readonly args: readonly string[]
}

const never = new AbortController().signal
// Each command adds its listeners again, as if it were the whole program.
process.stdout.setMaxListeners(0)
process.stderr.setMaxListeners(0)

/** As the whole program does in `main`. */
async function run({ env, args }: ThreadCommand): Promise<number> {
  process.exitCode = 0
  try {
    const service = await createAdmin(env, args)
    await service.run(never)
  } catch (error) {
    process.exitCode = 1
    const isExpected = error instanceof ExpectedError
    process.stderr.write(`${isExpected ? error.message : String((error as Error).stack)}\n`)
  }
  return process.exitCode
}

/** Resolves when the other side has taken all output. */
const isTaken = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise(resolve => stream.write('', () => resolve()))

const port = parentPort
if (port === null) throw new Error('this file is a thread')
for (;;) {
  const [command] = (await once(port, 'message')) as [ThreadCommand]
  const code = await run(command)
  await Promise.all([isTaken(process.stdout), isTaken(process.stderr)])
  port.postMessage(code)
}
