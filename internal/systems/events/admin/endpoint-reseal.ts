/** `endpoints reseal`: encrypts what is stored encrypted again, with the newest key. */

import { JSON_OPTION } from '../../../engine/cli/options.js'
import { formatPlural, printable } from '../../../engine/cli/terminal-text.js'
import { type KeyRing, SealError, type Sealed } from '../delivery/sealed.js'
import type { SealedValue } from '../delivery/store/endpoints.js'
import type { AdminCommand } from './context.js'

interface Unopened extends Omit<SealedValue, 'sealed' | 'rowId'> {
  readonly reason: string
}

export const reseal: AdminCommand = {
  name: 'reseal',
  summary:
    'Encrypts secrets and headers again with the first of SENDER_SECRET_KEYS, ' +
    'so that older keys can be removed',
  options: JSON_OPTION,
  notes:
    'To change the key: put the new one first and keep the old one behind it, restart the ' +
    'senders, run this, then remove the old one. No secret changes, so recipients need not ' +
    'know. You may interrupt it and run it again.',
  examples: ['endpoints reseal'],
  prepare: flags => async context => {
    const { keys } = context.egress()
    const unopened: Unopened[] = []
    let resealed = 0
    for (const value of await context.endpoints.sealedByOthers(keys.currentKeyId)) {
      if (context.signal.aborted) break
      const again = sealAgain(value, keys)
      if (again instanceof SealError) {
        const { endpointId, client, field } = value
        unopened.push({ endpointId, client, field, reason: again.message })
      } else if (await context.endpoints.reseal(value, again)) resealed += 1
    }
    const left = (await context.endpoints.sealedByOthers(keys.currentKeyId)).length
    if (flags.isOn('json'))
      await context.output.json({ keyId: keys.currentKeyId, resealed, left, unopened })
    else {
      await context.output.write(
        `${formatPlural(resealed, 'value')} encrypted again with the key ${keys.currentKeyId}, ${left} left\n`
      )
      for (const { reason } of unopened) context.output.remark(printable(reason))
      if (left === 0)
        context.output.remark('No other key of SENDER_SECRET_KEYS is needed any more.')
    }
    return left === 0 ? 0 : 1
  }
}

function sealAgain(
  { endpointId, client, field, sealed }: SealedValue,
  keys: KeyRing
): Sealed | SealError {
  const place = { clientId: client, endpointId: String(endpointId), field }
  try {
    return keys.seal(keys.open(sealed, place), place)
  } catch (error) {
    if (error instanceof SealError) return error
    throw error
  }
}
