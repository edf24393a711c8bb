/** `clients set`: a client's weight and quota. */

import { type Flags, readNumber } from '../../../engine/cli/flags.js'
import { didYouMean } from '../../../engine/cli/nearest.js'
import { JSON_OPTION, readText } from '../../../engine/cli/options.js'
import { formatCount, printable } from '../../../engine/cli/terminal-text.js'
import { type ClientLimits, OVER_QUOTA } from '../store/client-settings.js'
import type { AdminCommand } from './context.js'
import { unknownName } from './unknown-name.js'

const NO_LIMIT = 'none'
const LEAST_PER_S = 0.001
const MAX_EVENTS_PER_S = 1e9
const MAX_BYTES_PER_S = 1e12

export const setLimits: AdminCommand = {
  name: 'set',
  summary: 'Sets a client’s weight and quota; all workers apply them within a second',
  operands: { text: 'NAME', max: 1 },
  options: {
    weight: {
      value: 'N',
      text: 'size of its turns relative to other clients (1 to 100, default 1)'
    },
    'max-events-per-s': {
      value: 'N',
      text:
        'events per second in the whole deployment, with a burst of one second; ' +
        'none removes the limit'
    },
    'max-bytes-per-s': { value: 'N', text: 'the same in bytes of bodies' },
    'over-quota': {
      value: OVER_QUOTA.join('|'),
      text:
        'events beyond the quota are stored later (delay, the default) ' +
        'or refused as over-quota (reject)'
    },
    ...JSON_OPTION
  },
  notes:
    'An option that is not given keeps its value. Nothing is lost either way: rejections redrive ' +
    '--reason over-quota sends refused events again.',
  examples: [
    'clients set client-4 --max-events-per-s 100 --over-quota reject',
    'clients set client-4 --max-events-per-s none',
    'clients set client-1 --weight 5'
  ],
  prepare: flags => {
    const [name = ''] = flags.operands
    if (name === '') flags.problems.push('NAME is missing')
    const change = readChange(flags)
    return async context => {
      const limits = await context.clientLimits.set(name, change)
      if (limits === null) return unknownName('client', name, context.clients, context)
      if (flags.isOn('json')) await context.output.json({ name, limits })
      else
        await context.output.write(
          `${printable(name)}: weight ${limits.weight}, quota ${describeQuota(limits)}\n`
        )
      return 0
    }
  }
}

/** For example `100 events/s, 65,536 bytes/s, reject`. */
export function describeQuota({ maxEventsPerS, maxBytesPerS, overQuota }: ClientLimits): string {
  const limits = [
    ...(maxEventsPerS === null ? [] : [`${formatCount(maxEventsPerS)} events/s`]),
    ...(maxBytesPerS === null ? [] : [`${formatCount(maxBytesPerS)} bytes/s`])
  ]
  return limits.length === 0 ? 'none' : [...limits, overQuota].join(', ')
}

function readChange(flags: Flags): Partial<ClientLimits> {
  const weight = readNumber(flags, 'weight', 1, 100)
  const maxEventsPerS = readLimit(flags, 'max-events-per-s', LEAST_PER_S, MAX_EVENTS_PER_S)
  const maxBytesPerS = readLimit(flags, 'max-bytes-per-s', 1, MAX_BYTES_PER_S)
  const overQuota = readOverQuota(flags)
  const options = Object.keys(setLimits.options).filter(name => name !== 'json')
  if (!options.some(name => flags.isOn(name)))
    flags.problems.push(`nothing is set: give ${options.map(name => `--${name}`).join(', ')}`)
  return {
    ...(weight === undefined ? {} : { weight }),
    ...(maxEventsPerS === undefined ? {} : { maxEventsPerS }),
    ...(maxBytesPerS === undefined ? {} : { maxBytesPerS }),
    ...(overQuota === undefined ? {} : { overQuota })
  }
}

function readLimit(
  flags: Flags,
  name: string,
  min: number,
  max: number
): number | null | undefined {
  return readText(flags, name) === NO_LIMIT ? null : readNumber(flags, name, min, max, false)
}

function readOverQuota(flags: Flags): ClientLimits['overQuota'] | undefined {
  const text = readText(flags, 'over-quota')
  const found = OVER_QUOTA.find(known => known === text)
  if (text !== null && found === undefined) {
    flags.problems.push(
      `--over-quota must be ${OVER_QUOTA.join(' or ')}, not ${JSON.stringify(text)}${didYouMean(text, OVER_QUOTA)}`
    )
  }
  return found
}
