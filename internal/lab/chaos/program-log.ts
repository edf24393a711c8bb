/**
 * What the log of the processor or the sender tells of its processes.
 *
 * Shapes  lines in, in the order in which they come; the workers that live, those that
 *         died, and how long each replacement took.
 * Units   milliseconds since 1970, as pino writes them.
 * Errors  a line that is not JSON is no log line: a program that falls over prints such
 *         ones, so they are kept.
 */
export interface WorkerDeath {
  readonly pid: number
  readonly how: string
}

export interface Replacement {
  readonly diedAtMs: number
  /** What the supervisor said that it would wait. */
  readonly restartInMs: number
  readonly startedAtMs: number
  /** Null until it is ready; a worker may die before that. */
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

/**
 * A replacement may start this much earlier than announced, by the rounding of two
 * clocks.
 */
const EARLY_MS = 25
const MAX_KEPT = 40

export class ProgramLog {
  metricsUrl: string | null = null
  /** All that were ever started. */
  readonly started = new Set<number>()
  /** Those that receive, or send. */
  readonly ready = new Set<number>()
  readonly deaths: WorkerDeath[] = []
  readonly replacements: Replacement[] = []
  /** The first lines that are none of the log's. */
  readonly foreign: string[] = []
  firstReadyAtMs: number | null = null
  readonly #vacancies: { diedAtMs: number; restartInMs: number }[] = []
  readonly #byPid = new Map<number, Replacement>()
  readonly #dead = new Set<number>()

  /**
   * What the program printed beside its log, null when there is nothing of it. Node
   * itself prints a stack when a primary dies while it forks: the worker's greeting fails
   * before any line of ours runs in it.
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
