/** What `npm start` shows of a system, apart from running its programs. */
import type { Environment } from '../../engine/config/environment.js'
import type { DatabaseService } from '../../engine/program/services.js'

/** Counts from a system's programs, by name. */
export type Figures = Readonly<Record<string, number>>

/** Where programs serve their metrics, by program name. */
export type ProgramOrigins = ReadonlyMap<string, string>

export interface DemoContext {
  readonly env: Environment
  readonly services: DatabaseService
}

export interface Demo {
  /**
   * Arguments for a program; null leaves it out. The tables exist by then, except for the
   * first program, which makes them.
   */
  argumentsOf(program: string): Promise<readonly string[] | null>
  /** Lines above and below those about metrics. */
  introduction(origins: ProgramOrigins): {
    readonly above: readonly string[]
    readonly below: readonly string[]
  }
  /** Null while there is nothing to read. */
  read(origins: ProgramOrigins): Promise<Figures | null>
  /** The figures as one line. */
  readonly describe: (figures: Figures) => string
  /** The figure whose growth per second is shown. */
  readonly pace: string
  /** Programs that create work: they are stopped first. */
  readonly sources: readonly string[]
  /**
   * Then these figures must stop changing, one after the other, before the other programs
   * are stopped.
   */
  readonly untilStill: readonly string[]
  /** What stopping does, in words. */
  readonly ending: string
}
