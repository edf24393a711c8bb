/**
 * Reads `.env` of the working directory into the environment; what the environment has
 * already wins.
 */
import { existsSync } from 'node:fs'

export function readEnvFile(path = '.env'): void {
  if (existsSync(path)) process.loadEnvFile(path)
}
