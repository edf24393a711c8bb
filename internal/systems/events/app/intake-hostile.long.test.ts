/** More random batches than a short run has time for. */
process.env['HOSTILE_BATCHES'] ??= '400'
await import('./intake-hostile.test.js')
