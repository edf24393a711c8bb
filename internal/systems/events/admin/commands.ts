/**
 * What the admin program can do for this system, in the order of its help. A new group is
 * one file and one line here.
 */
import type { Commands } from '../../../engine/cli/command.js'
import type { AdminContext } from './context.js'
import { deadLettersGroup } from './dead-letters.js'
import { deliveriesGroup } from './deliveries.js'
import { endpointsGroup } from './endpoints.js'
import { clientsGroup, eventTypesGroup } from './names.js'
import { rejectionsGroup } from './rejections.js'
import { schemasGroup } from './schemas.js'
import { traceCommand } from './trace.js'

export const ADMIN_COMMANDS: Commands<AdminContext> = [
  clientsGroup,
  eventTypesGroup,
  schemasGroup,
  rejectionsGroup,
  deadLettersGroup,
  endpointsGroup,
  deliveriesGroup,
  traceCommand
]
