/**
 * Every fault of a chaos run: what it strikes, how long it lasts, what must resume
 * afterwards. Faults of the sender or the recipient (DELIVERY_KINDS) run at the same time
 * as a step's other fault.
 *
 * Units   milliseconds. Some times are measured against the programs' settings in
 *         settings.ts.
 */
import { LANE_LOST_AFTER_S, VISIBILITY_TIMEOUT_S } from './settings.js'

export interface FaultSpec {
  readonly side: 'process' | 'database' | 'connection' | 'queue' | 'sender' | 'recipient'
  readonly says: string
  readonly fromMs: number
  readonly toMs: number
  /**
   * What must be seen again after its end: a commit of the processor or an answered
   * receive.
   */
  readonly back: 'commit' | 'receive' | null
  /** Whether a worker or the primary may be killed while it lasts. */
  readonly allowsKill: boolean
}

/** The sender looks for lost lanes every five seconds. */
const PAST_LANE_MS = (LANE_LOST_AFTER_S + 6) * 1_000
const PAST_VISIBILITY_MS = VISIBILITY_TIMEOUT_S * 1_000 + 1_000

type Side = FaultSpec['side']

function fault(
  side: Side,
  says: string,
  fromMs: number,
  toMs: number,
  over: Partial<FaultSpec> = {}
): FaultSpec {
  const back =
    side === 'queue' ? 'receive' : side === 'database' || side === 'connection' ? 'commit' : null
  return { side, says, fromMs, toMs, back, allowsKill: back !== null, ...over }
}

export const FAULTS = {
  'worker-stop': fault(
    'process',
    'SIGSTOP of a worker, then SIGCONT within its visibility timeout',
    300,
    2_000,
    { allowsKill: true }
  ),
  'worker-stop-long': fault(
    'process',
    'the same, longer than the visibility timeout',
    PAST_VISIBILITY_MS,
    PAST_VISIBILITY_MS + 2_000
  ),
  'worker-stop-in-transaction': fault(
    'process',
    'SIGSTOP of a worker that has an open transaction',
    2_000,
    12_000
  ),
  'worker-term': fault(
    'process',
    'SIGTERM of a worker, which leaves the stop to its primary',
    200,
    500
  ),
  'primary-term': fault('process', 'SIGTERM of the primary: drain, exit code 0, next start', 0, 0),
  'primary-term-twice': fault('process', 'a second SIGTERM in the middle of the drain', 600, 900),

  'database-fast-stop': fault('database', 'fast shutdown (SIGINT), restart', 500, 3_000),
  'database-immediate-stop': fault(
    'database',
    'immediate shutdown (SIGQUIT), recovery',
    500,
    3_000
  ),
  'database-kill': fault('database', 'kill -9 of the postmaster, recovery', 200, 2_000),
  'backend-kill': fault(
    'database',
    'kill -9 of a session’s backend: the server restarts all of them',
    300,
    800
  ),
  'backend-terminate': fault(
    'database',
    'pg_terminate_backend of all sessions of processor and sender',
    100,
    500
  ),
  'database-read-only': fault(
    'database',
    'default_transaction_read_only on, as after a failover',
    500,
    3_000
  ),
  'client-locked': fault('database', 'a row of client locked FOR UPDATE', 1_000, 4_000),
  'table-locked': fault(
    'database',
    'message locked ACCESS EXCLUSIVE, as by a migration',
    1_000,
    3_000
  ),

  'connection-latency': fault(
    'connection',
    'every packet delayed by 50 to 200 ms, with jitter',
    1_500,
    4_000
  ),
  'connection-reset': fault('connection', 'all connections reset', 100, 600),
  'connection-blackhole': fault(
    'connection',
    'packets vanish, connections stay half-open',
    1_000,
    4_000
  ),
  'connection-half-close': fault(
    'connection',
    'the server’s half of all connections closed',
    300,
    1_000
  ),
  'connection-cut': fault('connection', 'cut at the N-th server message', 500, 2_000),
  'connection-cut-at-commit': fault(
    'connection',
    'COMMIT arrives, its answer does not',
    1_000,
    3_000
  ),

  'queue-500': fault('queue', 'HTTP 500 to every call', 500, 3_000),
  'queue-503': fault('queue', 'HTTP 503 to every call', 500, 3_000),
  'queue-throttled': fault('queue', 'every call throttled', 500, 3_000),
  'queue-lost-answers': fault(
    'queue',
    'calls take effect, half of the answers are lost',
    1_000,
    3_000
  ),
  'queue-hang': fault('queue', 'calls get no answer, connections stay open', 1_000, 3_000),
  'queue-partial-deletes': fault(
    'queue',
    'a third of the entries of each delete fail inside an HTTP 200',
    1_000,
    4_000
  ),
  'queue-no-heartbeat': fault('queue', 'visibility is not extended', 2_000, 5_000),

  'sender-worker-kill': fault('sender', 'kill -9 of a worker of the sender', 0, 0),
  'sender-workers-kill-at-post': fault(
    'sender',
    'kill -9 of all workers when a POST has left and has no answer yet',
    0,
    0
  ),
  'sender-workers-kill-at-commit': fault(
    'sender',
    'the same at the next COMMIT of one of them, before the answer to it',
    0,
    0
  ),
  'sender-primary-kill': fault(
    'sender',
    'kill -9 of the sender’s primary: its workers end, next start',
    0,
    0
  ),
  'sender-worker-stop': fault(
    'sender',
    'SIGSTOP of a worker of the sender, then SIGCONT',
    300,
    2_000
  ),
  'sender-worker-stop-long': fault(
    'sender',
    'the same, until other workers have taken its lanes',
    PAST_LANE_MS,
    PAST_LANE_MS + 2_000
  ),
  'sender-term': fault('sender', 'SIGTERM of the sender: drain, exit code 0, next start', 0, 0),

  'recipient-kill': fault('recipient', 'kill -9 of the recipient, restart', 200, 2_000),
  'recipient-500': fault('recipient', 'HTTP 500 to every POST', 500, 3_000),
  'recipient-503': fault('recipient', 'HTTP 503 with Retry-After to every POST', 500, 3_000),
  'recipient-hang': fault('recipient', 'POSTs get no answer, connections stay open', 1_000, 4_000),
  'recipient-reset': fault('recipient', 'all connections reset, new ones at each POST', 300, 2_000),
  'recipient-lost-answers': fault(
    'recipient',
    'POSTs are accepted, half of the answers are lost',
    1_000,
    3_000
  )
} as const satisfies Record<string, FaultSpec>

export type FaultKind = keyof typeof FAULTS
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[]

export type DeliveryFaultKind = Extract<FaultKind, `${'sender' | 'recipient'}-${string}`>
export type IntakeFaultKind = Exclude<FaultKind, DeliveryFaultKind>
export const DELIVERY_KINDS = FAULT_KINDS.filter(isOfDelivery)
export const INTAKE_KINDS = FAULT_KINDS.filter(kind => !isOfDelivery(kind)) as IntakeFaultKind[]

function isOfDelivery(kind: FaultKind): kind is DeliveryFaultKind {
  return FAULTS[kind].side === 'sender' || FAULTS[kind].side === 'recipient'
}
