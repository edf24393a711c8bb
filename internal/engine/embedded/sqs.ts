/**
 * An SQS-compatible queue on loopback, in its own process, so that it shares no CPU
 * time with the program that measures it.
 *
 * It listens on 127.0.0.1 and nowhere else, and ends with this process, however that
 * ends. Without `dataDir` everything is in memory; with it, queues and messages are kept
 * in <dataDir>/fauxqs.db.
 *
 * Errors  EmbeddedError, one sentence each.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import type { Socket } from 'node:net'
import { extname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EmbeddedError } from './embedded-error.js'
import { LOOPBACK } from './port.js'
import type { SqsServerReport } from './sqs-server.js'

export interface SqsOptions {
  /** 0 takes any free port. */
  readonly port: number
  /** The setting that chooses `port`, named in the error when it is taken. */
  readonly portSetting?: string
  readonly dataDir?: string
  readonly log?: (line: string) => void
}

export interface EmbeddedSqs {
  readonly endpoint: string
  readonly port: number
  readonly pid: number
  /** Resolves when the process is gone. May be called twice. */
  stop(): Promise<void>
}

const STOP_MS = 5_000
const KEPT_ERROR_CHARACTERS = 4_000

export async function startEmbeddedSqs(options: SqsOptions): Promise<EmbeddedSqs> {
  const { port, portSetting = 'the port', log = () => undefined } = options
  const args = [String(port)]
  if (options.dataDir !== undefined) {
    const dataDir = resolve(options.dataDir)
    mkdirSync(dataDir, { recursive: true })
    args.push(dataDir)
  }
  // A sibling with this file's own ending: .js when built, .ts under a loader or with
  // Node's type stripping.
  const entry = fileURLToPath(new URL(`./sqs-server${extname(import.meta.url)}`, import.meta.url))
  const server = fork(entry, args, {
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc']
  })
  let errors = ''
  server.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-KEPT_ERROR_CHARACTERS)
  })

  const report = await firstReport(server)
  if (!('port' in report) || server.pid === undefined) {
    const { code, message } =
      'port' in report ? { code: 'unknown', message: 'it has no pid' } : report
    if (code === 'EADDRINUSE' || code === 'EACCES') {
      throw new EmbeddedError(
        'port-taken',
        `Port ${port} is already in use: set ${portSetting} to a free one, or to 0 for any.`
      )
    }
    if (errors.includes('ERR_MODULE_NOT_FOUND')) {
      throw new EmbeddedError(
        'not-installed',
        'The embedded queue (fauxqs) is not installed: run "npm install --include=dev", or set QUEUE_NAME.'
      )
    }
    throw new EmbeddedError(
      'start-failed',
      `The embedded queue did not start: ${lastLine(errors) ?? message}`
    )
  }

  let stopping: Promise<void> | null = null
  const exited = new Promise<void>(settle => {
    server.once('exit', (exitCode, signal) => {
      if (stopping === null)
        log(
          `The embedded queue ended by itself (${signal ?? `exit code ${exitCode ?? 0}`}): ${lastLine(errors) ?? 'no reason given'}`
        )
      settle()
    })
  })
  release(server)
  return {
    endpoint: `http://${LOOPBACK}:${report.port}`,
    port: report.port,
    pid: server.pid,
    stop() {
      stopping ??= stop(server, exited)
      return stopping
    }
  }
}

async function stop(server: ChildProcess, exited: Promise<void>): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.ref()
  if (server.connected) server.disconnect()
  const timer = setTimeout(() => server.kill('SIGKILL'), STOP_MS)
  await exited
  clearTimeout(timer)
}

function firstReport(server: ChildProcess): Promise<SqsServerReport> {
  return new Promise(settle => {
    server.once('message', message => settle(message as SqsServerReport))
    server.once('error', error => settle({ code: 'unknown', message: error.message }))
    // 'close' rather than 'exit': by then all its output has been read.
    server.once('close', code =>
      settle({ code: 'unknown', message: `it ended with exit code ${code ?? 0}` })
    )
  })
}

/** The queue must not keep a finished program alive. */
function release(server: ChildProcess): void {
  server.unref()
  server.channel?.unref()
  const pipe = server.stderr as Socket | null
  pipe?.unref()
}

function lastLine(text: string): string | undefined {
  return text
    .split('\n')
    .filter(line => line.trim() !== '')
    .at(-1)
}
