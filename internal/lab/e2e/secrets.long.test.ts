/** Every log level, and every program with every wrong connection. */
process.env['SECRETS_EVERY_WAY'] ??= 'yes'
await import('./secrets.test.js')
