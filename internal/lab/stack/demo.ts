/** What `npm start` shows of a system beyond that its programs run. */
import type { Environment } from '../../engine/config/environment.js'
import type { DatabaseService } from '../../engine/program/services.js'

/** Counts that a system's programs tell, by their names. */
export type Figures = Readonly<Record<string, number>>

/** Where programs tell of themselves, by their names. */
export type ProgramOrigins = ReadonlyMap<string, string>

export interface DemoContext {
  readonly env: Environment
  readonly services: DatabaseService
}

export interface Demo {
  /** Arguments for a program; null where it is left out. The tables are there by then. */
  argumentsOf(program: string): Promise<readonly string[] | null>
  /** Lines above and below those that say where the metrics are. */
  introduction(origins: ProgramOrigins): {
    readonly above: readonly string[]
    readonly below: readonly string[]
  }
  /** Null while there is nothing to read. */
  read(origins: ProgramOrigins): Promise<Figures | null>
  /** The figures in a line. */
  readonly describe: (figures: Figures) => string
  /** The figure whose growth per second is shown. */
  readonly pace: string
  /** Programs that bring work: they end first. */
  readonly sources: readonly string[]
  /** Then these figures come to rest, one after the other, before the others end. */
  readonly untilStill: readonly string[]
  /** What happens at the end, in words. */
  readonly ending: string
}
