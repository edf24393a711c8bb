/**
 * The service of a program that has commands: reads the command line, and shows a help
 * text or does the work.
 *
 * Errors  wrong arguments are one message on stderr and exit code 2. A command returns
 *         exit code 1 itself; a rejection of its work ends the program.
 */
import { systemClock as clock } from '../lifecycle/clock.js'
import type { Service } from '../lifecycle/service.js'
import type { CommandTools } from './command.js'
import { parseCommandLine } from './command-line.js'
import { ArgumentsError } from './flags.js'
import type { CommandProgram } from './help.js'
import { createHelp } from './help-service.js'
import { createOutput } from './output.js'

const WRONG_ARGUMENTS = 2

export function createCommandService(
  program: CommandProgram<CommandTools>,
  args: readonly string[]
): Service {
  try {
    const line = parseCommandLine(args, program, clock.epochMs())
    if (line.kind === 'help') return createHelp(line.text)
    return {
      async run(signal) {
        const output = createOutput(process.stdout, process.stderr)
        process.exitCode = await line.work({ output, signal })
      }
    }
  } catch (error) {
    if (error instanceof ArgumentsError) return createUsageFailure(error)
    throw error
  }
}

function createUsageFailure(error: ArgumentsError): Service {
  return {
    run() {
      process.stderr.write(`${error.message}\n`)
      process.exitCode = WRONG_ARGUMENTS
      return Promise.resolve()
    }
  }
}
