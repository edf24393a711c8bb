/** The sender's configuration: its keys, allowed addresses, and retry schedule. */
import type { BlockList } from 'node:net'
import { type SettingsReading, wrongValue } from '../../../engine/config/environment.js'
import { parseAllowList } from '../../../engine/egress/address.js'
import type { EMBEDDED_SETTINGS } from '../../../engine/embedded/settings.js'
import { parseSchedule, type RetrySchedule } from '../../../engine/retry/schedule.js'
import { SENDER_SETTINGS } from './sender-settings.js'

export interface SenderSettings {
  /** As parseKeyRing reads them; null: the key is in a file in DATA_DIR. */
  readonly secretKeys: string | null
  readonly allowHttp: boolean
  /** Addresses outside the public Internet that endpoints may have. */
  readonly allowList: BlockList | null
  readonly schedule: RetrySchedule
  readonly disableAfterMs: number
  readonly maxLanes: number
  readonly laneLostAfterS: number
}

const AN_HOUR_MS = 3_600_000
/** Recipients on this machine, for trials. */
const EMBEDDED_ALLOW = '127.0.0.0/8,::1'

const SETTINGS = SENDER_SETTINGS.settings
type Reading = SettingsReading<
  typeof SETTINGS & Pick<typeof EMBEDDED_SETTINGS.settings, 'NODE_ENV'>
>

/** Adds what is missing or wrong to the problems. */
export function readSender(
  { values, problems, env }: Reading,
  isEmbedded: boolean
): SenderSettings {
  const secretKeys = values.SENDER_SECRET_KEYS ?? null
  if (secretKeys === null && !isEmbedded)
    problems.push(`SENDER_SECRET_KEYS is missing (${SETTINGS.SENDER_SECRET_KEYS.shape})`)
  const schedule = parseSchedule(values.SENDER_RETRY_SCHEDULE)
  if (schedule === null)
    problems.push(wrongValue('SENDER_RETRY_SCHEDULE', SETTINGS.SENDER_RETRY_SCHEDULE, env))
  const allow = values.SENDER_ALLOW_ADDRESSES
  if (allow !== undefined && values.NODE_ENV === 'production')
    problems.push(
      'SENDER_ALLOW_ADDRESSES is set (NODE_ENV=production sends to the public Internet only)'
    )
  const { list, problems: unread } = parseAllowList(allow ?? (isEmbedded ? EMBEDDED_ALLOW : ''))
  problems.push(...unread.map(problem => `SENDER_ALLOW_ADDRESSES: ${problem}`))
  return {
    secretKeys,
    allowHttp:
      values.SENDER_ALLOW_HTTP === undefined ? isEmbedded : values.SENDER_ALLOW_HTTP === 'yes',
    allowList: list,
    schedule: schedule ?? [],
    disableAfterMs: values.SENDER_DISABLE_AFTER_H * AN_HOUR_MS,
    maxLanes: values.SENDER_MAX_LANES,
    laneLostAfterS: values.SENDER_LANE_LOST_AFTER_S
  }
}
