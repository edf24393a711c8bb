/** The lines with which `npm start` says where everything is. */
import type { StackProgram } from './program.js'
import type { Stand } from './stand.js'

export function introduce(
  stands: readonly Stand[],
  dbConnection: string,
  logDir: string
): readonly string[] {
  const introductions = stands.flatMap(({ demo, origins }) => demo?.introduction(origins) ?? [])
  const programs = stands.flatMap(stand => stand.programs)
  return [
    '',
    ...introductions.flatMap(({ above }) => above),
    `            psql "${dbConnection}"`,
    ...metricsLines(programs),
    ...introductions.flatMap(({ below }) => below),
    `  logs      ${logDir}`,
    `  running   ${programs.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')}`,
    '  stop      Ctrl-C',
    ''
  ]
}

function metricsLines(programs: readonly StackProgram[]): readonly string[] {
  return programs
    .filter(({ origin }) => origin !== null)
    .map(({ name, origin }, index) =>
      index === 0
        ? `  metrics   ${origin}/metrics   (health: ${origin}/readyz)`
        : `            ${origin}/metrics   (of the ${name})`
    )
}
