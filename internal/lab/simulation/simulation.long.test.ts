/** The number of schedules that a change of the intake must pass. */
process.env['SIMULATION_SCHEDULES'] ??= '10000'
await import('./simulation.test.js')
