/** The service behind `--help`: prints its text and ends. */
import type { Service } from '../lifecycle/service.js'

export function createHelp(text: string): Service {
  return {
    run() {
      process.stdout.write(text)
      return Promise.resolve()
    }
  }
}
