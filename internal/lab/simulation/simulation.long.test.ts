/** As many schedules as a change of the intake must have held for. */
process.env['SIMULATION_SCHEDULES'] ??= '10000'
await import('./simulation.test.js')
