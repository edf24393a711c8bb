/**
 * What the admin program can do, in the order of its help. A new group is one file and
 * one line here.
 */
import type { Command, CommandGroup } from '../../../engine/cli/command.js'
import { deadLettersGroup } from './dead-letters.js'
import { deliveriesGroup } from './deliveries.js'
import { endpointsGroup } from './endpoints.js'
import { clientsGroup, eventTypesGroup } from './names.js'
import { rejectionsGroup } from './rejections.js'
import { schemasGroup } from './schemas.js'
import { traceCommand } from './trace.js'

export const GROUPS: readonly (CommandGroup | Command)[] = [
  clientsGroup,
  eventTypesGroup,
  schemasGroup,
  rejectionsGroup,
  deadLettersGroup,
  endpointsGroup,
  deliveriesGroup,
  traceCommand
]
