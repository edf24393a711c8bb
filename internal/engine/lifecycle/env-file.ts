/**
 * Reads `.env` of the working directory into the environment; variables that are already
 * set win.
 */
import { existsSync } from 'node:fs'

export function readEnvFile(path = '.env'): void {
  if (existsSync(path)) process.loadEnvFile(path)
}
