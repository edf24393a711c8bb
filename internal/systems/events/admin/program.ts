/**
 * What the admin program can do for this system, in the order of its help. A new group is
 * one file and one line here.
 */
import type { Commands } from '../../../engine/cli/command.js'
import type { CommandProgram } from '../../../engine/cli/help.js'
import type { AdminContext } from './context.js'
import { deadLettersGroup } from './dead-letters.js'
import { deliveriesGroup } from './deliveries.js'
import { endpointsGroup } from './endpoints.js'
import { clientsGroup, eventTypesGroup } from './names.js'
import { rejectionsGroup } from './rejections.js'
import { schemasGroup } from './schemas.js'
import { traceCommand } from './trace.js'

const COMMANDS: Commands<AdminContext> = [
  clientsGroup,
  eventTypesGroup,
  schemasGroup,
  rejectionsGroup,
  deadLettersGroup,
  endpointsGroup,
  deliveriesGroup,
  traceCommand
]

export const ADMIN_PROGRAM: CommandProgram<AdminContext> = {
  name: 'node dist/cmd/admin',
  introduction:
    'Clients, event types, schemas, rejections, dead letters, endpoints, deliveries and single ' +
    'events, for people. Settings are those of the processor and the sender (.env-template).',
  conventions:
    '--json prints one JSON document instead of a table; export prints JSON lines. Times are UTC.',
  exitCodes:
    'Exit code 0: done. 1: failed, interrupted, or what was asked for is not there. ' +
    '2: wrong arguments.',
  commands: COMMANDS
}
