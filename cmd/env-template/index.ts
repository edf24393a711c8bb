/**
 * Writes `.env-template` and the README's tables of settings again: `npm run
 * env-template`, after a change of internal/systems/events/config/settings.ts.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import {
  formatEnvTemplate,
  formatReadmeTables,
  replaceBetween
} from '../../internal/engine/config/env-template.js'

writeFileSync('.env-template', formatEnvTemplate())
writeFileSync('README.md', replaceBetween(readFileSync('README.md', 'utf8'), formatReadmeTables()))
