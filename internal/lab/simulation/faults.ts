/**
 * The faults that a schedule can have, and which of them strike now. A fault strikes the
 * nth call of its kind, lasts for a span of time, or strikes one worker. `share` in [0,
 * 1) is its strength: how long, how many entries, which of several outcomes.
 *
 * Units   virtual milliseconds.
 */
export type Area = 'queue' | 'database' | 'process'

/** Faults of single calls, each with the call that it strikes. */
export const CALL_FAULTS = {
  'receive-refused': 'receive',
  'receive-hangs': 'receive',
  'receive-answer-lost': 'receive',
  'receive-answer-late': 'receive',
  /** The queue hands out messages that are already in flight. */
  'receive-repeats': 'receive',
  'ack-refused': 'ack',
  'ack-hangs': 'ack',
  'ack-answer-lost': 'ack',
  'ack-partly-refused': 'ack',
  'ack-handle-refused': 'ack',
  /** The queue forgets the delete: the messages come back later. */
  'ack-forgotten': 'ack',
  'extend-refused': 'extend',
  'extend-hangs': 'extend',
  'extend-answer-lost': 'extend',
  'extend-partly-refused': 'extend',
  'send-refused': 'send',
  'send-hangs': 'send',
  'send-answer-lost': 'send',
  'send-partly-refused': 'send',
  /** The queue will never take some of the entries. */
  'send-entry-unsendable': 'send',
  'connect-refused': 'begin',
  'statement-fails': 'statement',
  'statement-hangs': 'statement',
  'commit-refused': 'commit',
  'commit-answer-lost-committed': 'commit',
  'commit-answer-lost-rolled-back': 'commit',
  /**
   * The answer is lost, and for a while the server cannot say whether the transaction
   * committed.
   */
  'commit-answer-lost-undecided': 'commit',
  'commit-slow': 'commit',
  'status-fails': 'status'
} as const satisfies Record<string, Call>

export type Call =
  | 'receive'
  | 'ack'
  | 'extend'
  | 'send'
  | 'begin'
  | 'statement'
  | 'commit'
  | 'status'
export type CallFaultKind = keyof typeof CALL_FAULTS

/** Faults that last for a time, each with its maximum. */
export const SPAN_FAULTS = {
  'database-down': 120_000,
  'database-read-only': 30_000,
  'database-full': 30_000,
  'database-migrating': 20_000,
  'queue-down': 60_000,
  'queue-throttles-receives': 30_000,
  'heartbeats-fail': 120_000
} as const

export type SpanFaultKind = keyof typeof SPAN_FAULTS

/** Moments at which a worker can be killed. */
export const CRASH_POINTS = [
  'receive called',
  'receive taken',
  'delivered',
  'prepare called',
  'written',
  'prepared',
  'announced',
  'committed',
  'commit answered',
  'status called',
  'ack called',
  'ack applied',
  'ack answered',
  'extend called',
  'extend applied',
  'stop called',
  'send called',
  'send applied',
  'send answered'
] as const

export type CrashPoint = (typeof CRASH_POINTS)[number]

/** The faults that can strike a call. */
export type FaultOf<C extends Call> = CallFault & {
  readonly kind: {
    [Kind in CallFaultKind]: (typeof CALL_FAULTS)[Kind] extends C ? Kind : never
  }[CallFaultKind]
}

export interface CallFault {
  readonly kind: CallFaultKind
  readonly nth: number
  readonly share: number
}

export interface SpanFault {
  readonly kind: SpanFaultKind
  readonly fromMs: number
  readonly forMs: number
}

export interface Crash {
  readonly kind: 'crash'
  readonly worker: number
  readonly point: CrashPoint
  readonly nth: number
}

/** `stop`: an orderly stop within `forMs`; `pause`: the process is frozen for `forMs`. */
export interface Interruption {
  readonly kind: 'stop' | 'pause'
  readonly worker: number
  readonly atMs: number
  readonly forMs: number
}

export type Fault = CallFault | SpanFault | Crash | Interruption

export function isCallFault(fault: Fault): fault is CallFault {
  return fault.kind in CALL_FAULTS
}

export function isSpanFault(fault: Fault): fault is SpanFault {
  return fault.kind in SPAN_FAULTS
}

export function areaOf(fault: Fault): Area {
  if (isSpanFault(fault)) return fault.kind.startsWith('database') ? 'database' : 'queue'
  if (!isCallFault(fault)) return 'process'
  return ['begin', 'statement', 'commit', 'status'].includes(CALL_FAULTS[fault.kind])
    ? 'database'
    : 'queue'
}

/** The faults of one schedule while it runs. */
export class Faults {
  /** How often each kind of fault struck; crashes are also counted by point. */
  readonly hits = new Map<string, number>()
  readonly #calls = new Map<Call, { count: number; readonly faults: readonly CallFault[] }>()
  readonly #crashes: (Crash & { seen: number })[]
  readonly #spans: readonly SpanFault[]
  readonly #now: () => number
  #areOver = false

  constructor(faults: readonly Fault[], now: () => number) {
    this.#now = now
    const calls = faults.filter(isCallFault)
    for (const call of new Set(calls.map(({ kind }) => CALL_FAULTS[kind]))) {
      this.#calls.set(call, {
        count: 0,
        faults: calls.filter(({ kind }) => CALL_FAULTS[kind] === call)
      })
    }
    this.#spans = faults.filter(isSpanFault)
    this.#crashes = faults
      .filter(fault => fault.kind === 'crash')
      .map(crash => ({ ...crash, seen: 0 }))
  }

  /** From now on there are no more faults. */
  end(): void {
    this.#areOver = true
  }

  /** Counts this call and returns the fault that strikes it, or null. */
  strike<C extends Call>(call: C): FaultOf<C> | null {
    const known = this.#calls.get(call)
    if (known === undefined || this.#areOver) return null
    known.count++
    for (const fault of known.faults) {
      if (fault.nth !== known.count) continue
      this.hit(fault.kind)
      return fault as FaultOf<C>
    }
    return null
  }

  /** The first of these faults that is active now, or null. */
  during(...kinds: readonly SpanFaultKind[]): SpanFaultKind | null {
    if (this.#spans.length === 0 || this.#areOver) return null
    const nowMs = this.#now()
    for (const { kind, fromMs, forMs } of this.#spans) {
      if (nowMs < fromMs || nowMs >= fromMs + forMs || !kinds.includes(kind)) continue
      this.hit(kind)
      return kind
    }
    return null
  }

  /** Whether the worker dies here. */
  kills(worker: number, point: CrashPoint): boolean {
    if (this.#crashes.length === 0 || this.#areOver) return false
    for (const crash of this.#crashes) {
      if (crash.worker !== worker || crash.point !== point) continue
      crash.seen++
      if (crash.seen !== crash.nth) continue
      this.hit(`crash: ${point}`)
      return true
    }
    return false
  }

  hit(kind: string): void {
    this.hits.set(kind, (this.hits.get(kind) ?? 0) + 1)
  }
}
