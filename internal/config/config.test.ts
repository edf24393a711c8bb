import { resolve } from 'node:path'
import t from 'tap'
import { readBaseConfig, readProcessorConfig, readProducersConfig } from './config.js'
import { ConfigError } from './environment.js'

const external = {
  DB_CONNECTION: 'postgresql://u:p@localhost:5432/db?sslmode=disable',
  QUEUE_NAME: 'events',
  AWS_ENDPOINT: 'http://localhost:4566'
}

const problemsOf = (read: () => unknown): readonly string[] => {
  try {
    read()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

t.test('without database and queue the embedded ones are used, and every default is in place', async t => {
  const config = readProcessorConfig({})
  t.match(config, {
    services: {
      kind: 'embedded',
      embedded: { dataDir: resolve('.data'), postgres: { port: 54_329, isChosen: false }, sqs: { port: 4_566, isChosen: false } }
    },
    queue: {
      queueName: 'events',
      deadLetterQueueName: 'events-dead-letters',
      maxReceiveCount: 10,
      retentionS: 86_400,
      visibilityTimeoutS: 60,
      waitTimeS: 20
    },
    db: { statementTimeoutMs: 30_000, queryDeadlineMs: 35_000, requireDurability: true },
    pollers: 10,
    batch: { maxMessages: 1_000, maxBytes: 8_388_608 },
    metrics: { host: '127.0.0.1', port: 9_464 },
    shutdownTimeoutMs: 25_000
  })
  t.ok(config.workers >= 1)
  t.equal(readProducersConfig({}).fakeIntervalMs, 100)
})

t.test('a port of an embedded service that was set is the user’s choice', async t => {
  t.match(readBaseConfig({ EMBEDDED_SQS_PORT: '4567' }), {
    services: { embedded: { sqs: { port: 4_567, isChosen: true }, postgres: { isChosen: false } } }
  })
})

t.test('given services are taken, with credentials or the SDK’s own chain', async t => {
  t.same(readBaseConfig(external).services, {
    kind: 'external',
    dbConnection: external.DB_CONNECTION,
    aws: { region: 'us-east-1', endpoint: 'http://localhost:4566' }
  })
  const keys = { AWS_REGION: 'sa-east-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' }
  t.match(readBaseConfig({ DB_CONNECTION: external.DB_CONNECTION, QUEUE_NAME: 'events', ...keys }).services, {
    aws: { region: 'sa-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't' } }
  })
})

t.test('everything that is missing or wrong is named in one message', async t => {
  const problems = problemsOf(() =>
    readProcessorConfig({
      QUEUE_NAME: 'not a name!',
      METRICS_PORT: '65536',
      WORKERS: 'two',
      LOG_LEVEL: 'loud',
      AWS_ACCESS_KEY_ID: 'a',
      POLLERS: '0'
    })
  )
  t.same(problems.toSorted(), [
    'AWS_REGION is missing (the region of the queue, such as us-east-1)',
    'AWS_SECRET_ACCESS_KEY is missing (AWS_ACCESS_KEY_ID is set)',
    'DB_CONNECTION is missing (set both or neither; with neither, embedded services are started)',
    'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent, not "loud"',
    'METRICS_PORT must be a whole number from 0 to 65535, not "65536"',
    'POLLERS must be a whole number from 1 to 200, not "0"',
    'QUEUE_NAME must be 1 to 80 letters, digits, hyphens and underscores (a standard queue, not FIFO), not "not a name!"',
    'WORKERS must be a whole number from 1 to 256, not "two"'
  ])
})

t.test('an empty variable counts as absent, and a driver we do not have is an error', async t => {
  t.equal(readProcessorConfig({ METRICS_PORT: '', DB_CONNECTION: '', QUEUE_NAME: '' }).metrics.port, 9_464)
  t.same(
    problemsOf(() => readBaseConfig({ ...external, DB_DRIVER: 'mysql' })),
    ['DB_DRIVER must be postgres, not "mysql"']
  )
})

t.test('a secret that is wrong is not shown', async t => {
  const [problem = ''] = problemsOf(() => readBaseConfig({ ...external, DB_CONNECTION: 'mysql://user:hunter2@host/db' }))
  t.match(problem, /^DB_CONNECTION must be postgresql:\/\//)
  t.notMatch(problem, /hunter2/)
})

t.test('production refuses embedded services', async t => {
  t.same(
    problemsOf(() => readBaseConfig({ NODE_ENV: 'production', AWS_REGION: 'eu-west-1' })),
    [
      'DB_CONNECTION is missing (NODE_ENV=production runs no embedded services)',
      'QUEUE_NAME is missing (NODE_ENV=production runs no embedded services)'
    ]
  )
})

t.test('a connection string that the driver cannot read is a wrong value, and its password is not shown', async t => {
  const read = (connection: string) => problemsOf(() => readBaseConfig({ ...external, DB_CONNECTION: connection }))
  for (const wrong of [
    'postgresql://user:planted@host:port/db',
    'postgresql://user:planted@host:99999/db',
    'postgresql://user:planted/pw@host/db'
  ]) {
    const problems = read(wrong)
    t.match(problems, [/^DB_CONNECTION is not readable as a URL/], wrong)
    t.notMatch(problems.join(), 'planted')
  }
  for (const right of [
    'postgresql://user:pass word@host/db',
    'postgres://host',
    'postgresql://u:p%40@/db?host=/run/postgresql',
    'postgresql://[::1]:5/db'
  ]) {
    t.same(read(right), [], right)
  }
})
