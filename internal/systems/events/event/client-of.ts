/** Whose message it is. */
import type { Entry } from '../../../engine/message/message.js'

/**
 * The client that the body names, known or not; '' where it names none: those are one
 * group of their own.
 */
export function clientOf({ verdict }: Entry): string {
  return (verdict.kind === 'valid' ? verdict.event.clientId : verdict.rejection.clientId) ?? ''
}
