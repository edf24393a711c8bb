/**
 * Quotas decide which messages go on at once, and what happens to those over their
 * client's quota.
 *
 * reject   the event is refused as `over-quota`, unless it is refused for its content
 * delay    it waits here for its turn, in order of arrival, if that comes soon and there
 *          is room (a share of the in-flight limits, so that other clients are not held
 *          up). Otherwise it is sent again with a delay, and the original is deleted only
 *          when the queue has confirmed the copy. This uses up no receive count and loses
 *          nothing: a copy whose confirmation was lost is the same event under the same
 *          key.
 *
 * Every message of a client with a quota counts, refused bodies and redeliveries too;
 * refused ones are never held back.
 *
 * Units   milliseconds, UTF-8 bytes.
 * Source  internal/docs/decisions/0012-fair-turns.md
 */
import type { Admission, AdmissionDesk } from '../../../engine/intake/admission.js'
import type { Clock } from '../../../engine/lifecycle/clock.js'
import type { QueueWriter } from '../../../engine/queue/queue.js'
import { TokenBucket } from '../../../engine/rate/token-bucket.js'
import type { EventEntry, EventRejection, ValidEvent } from '../event/event.js'
import { clientOf } from '../event/event.js'
import type { ClientRules, Quota } from './client-rules.js'
import { type PostponeObserver, Postponer } from './postpone.js'

export interface QuotaGateOptions {
  readonly rules: ClientRules
  readonly writer: Pick<QueueWriter, 'send' | 'limits'>
  readonly clock: Clock
  readonly random: () => number
  readonly observer: PostponeObserver
}

/**
 * The longest time that a message waits here: visibility ends after 12 hours at the
 * latest, and a stop should have little to finish.
 */
const MAX_HOLD_MS = 30_000
/** Messages are released at most this often. */
const RELEASE_EVERY_MS = 20
/** How often the accounts of silent clients are dropped. */
const FORGET_EVERY_MS = 10_000

interface Account {
  readonly client: string
  quota: Quota
  events: TokenBucket | null
  bytes: TokenBucket | null
  held: EventEntry[]
  heldBytes: number
  /** When the last of its messages that were sent later has its turn. */
  laterUntilMs: number
}

export class QuotaGate implements Admission<ValidEvent, EventRejection> {
  readonly #options: QuotaGateOptions
  readonly #desk: AdmissionDesk<ValidEvent, EventRejection>
  readonly #postponer: Postponer
  readonly #accounts = new Map<string, Account>()
  /** The accounts that hold messages; the pump looks at no others. */
  readonly #holding = new Set<Account>()
  #held = 0
  #heldBytes = 0
  #forgetAtMs = 0
  #cancel: (() => void) | null = null
  #isEnded = false

  constructor(options: QuotaGateOptions, desk: AdmissionDesk<ValidEvent, EventRejection>) {
    this.#options = options
    this.#desk = desk
    this.#postponer = new Postponer({
      ...options,
      onSent: entries => desk.settle(entries),
      // The queue refuses its copy, so it waits here after all.
      onUnsendable: entry => {
        this.#keep(entry)
        desk.heldMore()
      }
    })
  }

  /** Messages that wait for their turn. */
  get held(): number {
    return this.#held
  }

  /** The entries that go on now, each with its final verdict. */
  admit(entries: readonly EventEntry[]): readonly EventEntry[] {
    if (this.#isEnded || (!this.#options.rules.hasQuotas && this.#held === 0)) return entries
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs >= this.#forgetAtMs) this.#forgetSilent(nowMs)
    const passed: EventEntry[] = []
    for (const entry of entries) {
      const account = this.#accountOf(clientOf(entry), nowMs)
      if (account === null) passed.push(entry)
      else if (entry.verdict.kind === 'rejected') {
        // Charges only without a wait: refused bodies must not run up a long debt for
        // good events.
        if (waitOf(account, nowMs) === 0) charge(account, entry)
        passed.push(entry)
      } else if (account.held.length === 0 && waitOf(account, nowMs) === 0) {
        charge(account, entry)
        passed.push(entry)
      } else if (account.quota.overQuota === 'reject')
        passed.push({ message: entry.message, verdict: refuse(entry.verdict.item, account.quota) })
      else this.#holdBack(account, entry, nowMs)
    }
    return passed
  }

  /**
   * Stops holding back and sending. Resolves with what was held and what was not sent,
   * once the running calls are over.
   */
  async end(): Promise<readonly EventEntry[]> {
    const unsent = await this.#postponer.end()
    this.#isEnded = true
    this.#cancel?.()
    this.#cancel = null
    const all = [...this.#holding].flatMap(({ held }) => held)
    this.#accounts.clear()
    this.#holding.clear()
    this.#held = 0
    this.#heldBytes = 0
    return [...all, ...unsent]
  }

  /**
   * An account with nothing owed, held or sent later can be dropped: a new one is the
   * same.
   */
  #forgetSilent(nowMs: number): void {
    this.#forgetAtMs = nowMs + FORGET_EVERY_MS
    for (const [client, { events, bytes, held, laterUntilMs }] of this.#accounts) {
      const isSilent =
        held.length === 0 &&
        laterUntilMs <= nowMs &&
        events?.isFull(nowMs) !== false &&
        bytes?.isFull(nowMs) !== false
      if (isSilent) this.#accounts.delete(client)
    }
  }

  #accountOf(client: string, nowMs: number): Account | null {
    const quota = this.#options.rules.quotaOf(client)
    const known = this.#accounts.get(client)
    if (quota === null) return null
    if (known === undefined) {
      const account: Account = {
        client,
        quota,
        ...buckets(quota, nowMs),
        held: [],
        heldBytes: 0,
        laterUntilMs: 0
      }
      this.#accounts.set(client, account)
      return account
    }
    if (known.quota !== quota) Object.assign(known, { quota, ...buckets(quota, nowMs) })
    return known
  }

  #holdBack(account: Account, entry: EventEntry, nowMs: number): void {
    const { maxHeldMessages, maxHeldBytes } = this.#desk
    const { delayS: maxDelayS } = this.#options.writer.limits
    const { bytes } = entry.message
    const waitMs = waitOf(account, nowMs, account.held.length, account.heldBytes)
    const hasRoom = this.#held < maxHeldMessages && this.#heldBytes + bytes <= maxHeldBytes
    // If the queue cannot delay, all of them wait here.
    if (maxDelayS === 0 || (hasRoom && waitMs <= MAX_HOLD_MS)) return this.#hold(account, entry)
    const lastMs = nowMs + maxDelayS * 1_000
    account.laterUntilMs = Math.min(
      lastMs,
      Math.max(account.laterUntilMs, nowMs + waitMs) + spanOf(account, bytes)
    )
    this.#postponer.send(
      entry,
      Math.max(1, Math.min(maxDelayS, Math.ceil((account.laterUntilMs - nowMs) / 1_000)))
    )
  }

  #keep(entry: EventEntry): void {
    const { clock } = this.#options
    const account = this.#isEnded ? null : this.#accountOf(clientOf(entry), clock.monotonicMs())
    if (account === null) this.#desk.release([entry])
    else this.#hold(account, entry)
  }

  #hold(account: Account, entry: EventEntry): void {
    this.#holding.add(account)
    account.held.push(entry)
    account.heldBytes += entry.message.bytes
    this.#held += 1
    this.#heldBytes += entry.message.bytes
    this.#releaseSoon()
  }

  #pump(): void {
    this.#cancel = null
    const nowMs = this.#options.clock.monotonicMs()
    const due: EventEntry[] = []
    for (const account of this.#holding) {
      const hasQuota = this.#accountOf(account.client, nowMs) !== null
      let at = 0
      for (; at < account.held.length && !this.#desk.isPaused(); at++) {
        const entry = account.held[at] as EventEntry
        if (hasQuota && account.quota.overQuota === 'delay' && waitOf(account, nowMs) > 0) break
        charge(account, entry)
        account.heldBytes -= entry.message.bytes
        this.#heldBytes -= entry.message.bytes
        due.push(entry)
      }
      if (at > 0) account.held = account.held.slice(at)
      if (account.held.length > 0) continue
      this.#holding.delete(account)
      if (!hasQuota) this.#accounts.delete(account.client)
    }
    this.#held -= due.length
    if (this.#held > 0) this.#releaseSoon()
    if (due.length > 0) this.#desk.release(due)
  }

  #releaseSoon(): void {
    this.#cancel ??= this.#options.clock.after(RELEASE_EVERY_MS, () => this.#pump())
  }
}

function buckets(
  { maxEventsPerS, maxBytesPerS }: Quota,
  nowMs: number
): Pick<Account, 'events' | 'bytes'> {
  const bucket = (perSecond: number | null): TokenBucket | null =>
    perSecond === null ? null : new TokenBucket(perSecond, nowMs)
  return { events: bucket(maxEventsPerS), bytes: bucket(maxBytesPerS) }
}

/** How long until the next message may pass, after those ahead of it. */
function waitOf(
  { events, bytes }: Account,
  nowMs: number,
  eventsAhead = 0,
  bytesAhead = 0
): number {
  return Math.max(events?.waitMs(nowMs, eventsAhead) ?? 0, bytes?.waitMs(nowMs, bytesAhead) ?? 0)
}

function charge({ events, bytes }: Account, { message }: EventEntry): void {
  events?.take(1)
  bytes?.take(message.bytes)
}

/** How much of the quota's time one message takes. */
function spanOf({ events, bytes }: Account, size: number): number {
  return Math.max(
    events === null ? 0 : 1_000 / events.perSecond,
    bytes === null ? 0 : (size * 1_000) / bytes.perSecond
  )
}

function refuse(event: ValidEvent, { maxEventsPerS, maxBytesPerS }: Quota): EventEntry['verdict'] {
  const limits = [
    maxEventsPerS === null ? '' : 'events',
    maxBytesPerS === null ? '' : 'bytes'
  ].filter(limit => limit !== '')
  const quotas = limits.join(' and ')
  const message =
    `${event.clientId} sent more than its quota of ${quotas} per second; ` +
    'send it again later, or ask for a higher quota'
  return {
    kind: 'rejected',
    rejection: {
      ...event,
      reason: 'over-quota',
      violations: [{ pointer: '/client_id', keyword: 'quota', message }]
    }
  }
}
