/**
 * What the log of the processor or the sender says about its processes.
 *
 * Shapes  log lines in, in order; out come the live workers, the dead ones, and how long
 *         each replacement took.
 * Units   milliseconds since 1970, as pino writes them.
 * Errors  lines that are not JSON are kept: a crashing program prints them.
 */
export interface WorkerDeath {
  readonly pid: number
  readonly how: string
}

export interface Replacement {
  readonly diedAtMs: number
  /** The wait that the supervisor announced. */
  readonly restartInMs: number
  readonly startedAtMs: number
  /** Null until the replacement is ready; it may die before that. */
  readyAtMs: number | null
}

interface Line {
  readonly time: number
  readonly name: string
  readonly msg?: string
  readonly worker?: number
  readonly how?: string
  readonly restartInMs?: number
  readonly metrics?: string
}

/** A replacement may appear to start this much too early, because two clocks round. */
const EARLY_MS = 25
const MAX_KEPT = 40

export class ProgramLog {
  metricsUrl: string | null = null
  /** All that were ever started. */
  readonly started = new Set<number>()
  /** Workers that receive or send. */
  readonly ready = new Set<number>()
  readonly deaths: WorkerDeath[] = []
  readonly replacements: Replacement[] = []
  /** The first lines that are not log lines. */
  readonly foreign: string[] = []
  firstReadyAtMs: number | null = null
  readonly #vacancies: { diedAtMs: number; restartInMs: number }[] = []
  readonly #byPid = new Map<number, Replacement>()
  readonly #dead = new Set<number>()

  /**
   * What the program printed outside its log, or null. Node itself prints a stack when a
   * primary dies during a fork: the worker's handshake fails before our code runs in it.
   */
  get complaint(): string | null {
    const text = this.foreign.join('\n')
    return text === '' || text.includes('initializeClusterIPC') ? null : text
  }

  get live(): readonly number[] {
    return [...this.started].filter(pid => !this.#dead.has(pid))
  }

  add(text: string): void {
    const line = parse(text)
    if (line === null) {
      if (this.foreign.length < MAX_KEPT && text.trim() !== '') this.foreign.push(text)
      return
    }
    switch (line.msg) {
      case 'listening':
        this.metricsUrl = line.metrics ?? this.metricsUrl
        return
      case 'worker started':
        return this.#started(line.worker ?? 0, line.time)
      case 'worker died; starting another':
        return this.#died(line)
      case 'receiving':
      case 'sending':
        return this.#ready(Number(line.name.replace(/^.*worker /, '')), line.time)
      case undefined:
        return
    }
  }

  #started(pid: number, atMs: number): void {
    this.started.add(pid)
    const index = this.#vacancies.findIndex(
      ({ diedAtMs, restartInMs }) => diedAtMs + restartInMs - EARLY_MS <= atMs
    )
    const [vacancy] = index === -1 ? [] : this.#vacancies.splice(index, 1)
    if (vacancy === undefined) return
    const replacement = { ...vacancy, startedAtMs: atMs, readyAtMs: null }
    this.replacements.push(replacement)
    this.#byPid.set(pid, replacement)
  }

  #died({ worker = 0, how = '', restartInMs = 0, time }: Line): void {
    this.#dead.add(worker)
    this.ready.delete(worker)
    this.deaths.push({ pid: worker, how })
    this.#vacancies.push({ diedAtMs: time, restartInMs })
    this.#vacancies.sort((a, b) => a.diedAtMs + a.restartInMs - (b.diedAtMs + b.restartInMs))
  }

  #ready(pid: number, atMs: number): void {
    this.ready.add(pid)
    this.firstReadyAtMs ??= atMs
    const replacement = this.#byPid.get(pid)
    if (replacement !== undefined) replacement.readyAtMs = atMs
  }
}

function parse(text: string): Line | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'time' in value ? (value as Line) : null
  } catch {
    return null
  }
}
