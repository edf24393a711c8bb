/**
 * One of our programs as a child of the bench: its log lines, and its end.
 *
 * Errors  `failure` rejects with the last lines of its log when it ends by itself.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../../engine/config/environment.js'
import { killAfter } from './measured-subject.js'

export type LogLine = Readonly<Record<string, unknown>>

export interface ChildSpec {
  readonly program: 'processor' | 'sender' | 'recipient'
  readonly args?: readonly string[]
  /** All that it gets; `inherit` adds what any program needs. */
  readonly env: Readonly<Record<string, string>>
  /** Where it runs: a directory without an .env of somebody's own. */
  readonly directory: string
}

export interface Child {
  readonly pid: number
  /** Never resolves. */
  readonly failure: Promise<never>
  /** The first line with this message, also one that has been. */
  said(message: string): Promise<LogLine>
  /** Ends it; resolves when it is gone. */
  stop(): Promise<void>
}

const KEPT_LINES = 20

/** Of the environment, what a system needs, and what is given besides. */
export function inherit(env: Environment, ...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    ['PATH', 'HOME', 'TZ', 'NODE_OPTIONS', ...names].flatMap(name =>
      env[name] === undefined ? [] : [[name, env[name]]]
    )
  )
}

export function startChild({ program, args = [], env, directory }: ChildSpec): Child {
  const entry = fileURLToPath(new URL(`../../../cmd/${program}/index.js`, import.meta.url))
  const child = spawn(process.execPath, [entry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
    cwd: directory,
    env: { LOG_FORMAT: 'json', ...env }
  })
  const lastLines: string[] = []
  const firsts = new Map<string, LogLine>()
  const waiting: { readonly message: string; readonly resolve: (line: LogLine) => void }[] = []
  let isStopping = false
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', text => {
      lastLines.push(text)
      if (lastLines.length > KEPT_LINES) lastLines.shift()
      const line = parseLine(text)
      const message = String(line['msg'])
      if (firsts.has(message)) return
      firsts.set(message, line)
      for (const one of waiting) if (one.message === message) one.resolve(line)
    })
  }
  const exited = new Promise<void>(resolve => child.once('close', () => resolve()))
  const failure = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (!isStopping)
        reject(
          new Error(
            `the ${program} ended by itself (${signal ?? `exit code ${code ?? 0}`}):\n${lastLines.join('\n')}`
          )
        )
    })
  })
  // Whoever waits for anything else races against it; with nobody waiting it must not end
  // the bench.
  failure.catch(() => undefined)
  const stop = (): Promise<void> => {
    isStopping = true
    child.kill('SIGTERM')
    return killAfter(() => child.kill('SIGKILL'), exited)
  }
  return {
    pid: child.pid ?? 0,
    failure,
    async said(message) {
      const line = firsts.get(message)
      if (line !== undefined) return line
      try {
        return await Promise.race([
          new Promise<LogLine>(resolve => waiting.push({ message, resolve })),
          failure
        ])
      } catch (error) {
        await stop()
        throw error
      }
    },
    stop
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return {}
  }
}
