/**
 * A sender as a separate process, for tests that end or stop it. At the point that
 * STRIKE_AT names it sends itself the signal STRIKE_WITH, once. SIGTERM ends it in an
 * orderly way.
 */
import { parseKeyRing } from '../../systems/events/delivery/sealed.js'
import { createWholeSender, type SenderParts } from './whole-sender.js'

const {
  DB_CONNECTION = '',
  SENDER_SECRET_KEYS = '',
  STRIKE_AT,
  STRIKE_WITH = 'SIGKILL'
} = process.env
const log = (text: string): boolean => process.stdout.write(`${text}\n`)

let isStruck = false
function reach(point: string): void {
  if (isStruck || point !== STRIKE_AT) return
  isStruck = true
  process.kill(process.pid, STRIKE_WITH)
}

const between = ({ deliveries, lanes, post }: SenderParts): SenderParts => ({
  post,
  deliveries: {
    ...deliveries,
    async fanOut(maxEvents) {
      const made = await deliveries.fanOut(maxEvents)
      if (made !== null && made.deliveries > 0) reach('after the fan-out')
      return made
    },
    async settle(outcomes) {
      reach('before the record')
      await deliveries.settle(outcomes)
      reach('after the record')
    }
  },
  lanes: {
    claim: async max => {
      const claimed = await lanes.claim(max)
      if (claimed.length > 0) reach('after the claim')
      return claimed
    },
    renew: claimed => lanes.renew(claimed),
    release: (lane, wakeAgain) => {
      reach('before the release')
      return lanes.release(lane, wakeAgain)
    },
    close: () => lanes.close()
  }
})

const cleanups: (() => Promise<void>)[] = []
const test = {
  teardown: (cleanup: () => Promise<void>) => void cleanups.unshift(cleanup),
  fail: log
}
const whole = await createWholeSender(test, {
  connectionString: DB_CONNECTION,
  keys: parseKeyRing(SENDER_SECRET_KEYS)
})
process.once('SIGTERM', () => {
  void (async () => {
    for (const cleanup of cleanups) await cleanup()
    log('ended')
  })()
})
whole.start({ between })
log('sending')
