import { resolve } from 'node:path'
import t from 'tap'
import { ConfigError } from '../../../engine/config/environment.js'
import { readBaseConfig } from '../../base-config.js'
import {
  readProcessorConfig,
  readProducersConfig,
  readQueueProgramConfig,
  readSenderConfig
} from './config.js'

const external = {
  DB_CONNECTION: 'postgresql://u:p@localhost:5432/db?sslmode=disable',
  QUEUE_NAME: 'events',
  AWS_ENDPOINT: 'http://localhost:4566'
}

const senderKeys = `2026:${Buffer.alloc(32, 7).toString('base64')}`

const problemsOf = (read: () => unknown): readonly string[] => {
  try {
    read()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

t.test('without database and queue, embedded ones and all defaults are used', async t => {
  const config = readProcessorConfig({})
  t.match(config, {
    services: {
      kind: 'embedded',
      embedded: {
        dataDir: resolve('.data'),
        postgres: { port: 54_329, isChosen: false },
        sqs: { port: 4_566, isChosen: false }
      }
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

t.test('a port that was set for an embedded service counts as chosen', async t => {
  t.match(readQueueProgramConfig({ EMBEDDED_SQS_PORT: '4567' }), {
    services: { embedded: { sqs: { port: 4_567, isChosen: true }, postgres: { isChosen: false } } }
  })
})

t.test('external services are used, with given credentials or the SDK’s own chain', async t => {
  t.same(readQueueProgramConfig(external).services, {
    kind: 'external',
    dbConnection: external.DB_CONNECTION,
    aws: { region: 'us-east-1', endpoint: 'http://localhost:4566' }
  })
  const keys = {
    AWS_REGION: 'sa-east-1',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 's',
    AWS_SESSION_TOKEN: 't'
  }
  t.match(
    readQueueProgramConfig({ DB_CONNECTION: external.DB_CONNECTION, QUEUE_NAME: 'events', ...keys })
      .services,
    {
      aws: {
        region: 'sa-east-1',
        credentials: { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't' }
      }
    }
  )
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

t.test('an empty variable counts as absent, and an unknown driver is an error', async t => {
  t.equal(
    readProcessorConfig({ METRICS_PORT: '', DB_CONNECTION: '', QUEUE_NAME: '' }).metrics.port,
    9_464
  )
  t.same(
    problemsOf(() => readQueueProgramConfig({ ...external, DB_DRIVER: 'mysql' })),
    ['DB_DRIVER must be postgres, not "mysql"']
  )
})

t.test('a wrong secret is not shown', async t => {
  const [problem = ''] = problemsOf(() =>
    readQueueProgramConfig({ ...external, DB_CONNECTION: 'mysql://user:hunter2@host/db' })
  )
  t.match(problem, /^DB_CONNECTION must be postgresql:\/\//)
  t.notMatch(problem, /hunter2/)
})

t.test('production refuses embedded services', async t => {
  t.same(
    problemsOf(() => readQueueProgramConfig({ NODE_ENV: 'production', AWS_REGION: 'eu-west-1' })),
    [
      'DB_CONNECTION is missing (NODE_ENV=production runs no embedded services)',
      'QUEUE_NAME is missing (NODE_ENV=production runs no embedded services)'
    ]
  )
})

t.test('a program without a queue needs only the database, and gets nothing else', async t => {
  const { DB_CONNECTION, QUEUE_NAME } = external
  t.same(readBaseConfig({ DB_CONNECTION, NODE_ENV: 'production' }).services, {
    kind: 'external',
    dbConnection: DB_CONNECTION
  })
  const keys = { AWS_REGION: 'sa-east-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' }
  const sender = readSenderConfig({
    DB_CONNECTION,
    QUEUE_NAME,
    ...keys,
    SENDER_SECRET_KEYS: senderKeys
  })
  t.same(sender.services, { kind: 'external', dbConnection: DB_CONNECTION })
  t.notHas(sender, { queue: {} })
  t.same(
    problemsOf(() => readBaseConfig({ QUEUE_NAME })),
    ['DB_CONNECTION is missing (set both or neither; with neither, embedded services are started)']
  )
  t.match(readBaseConfig({}).services, { kind: 'embedded' })
})

t.test(
  'an unreadable connection string is a wrong value, and its password is not shown',
  async t => {
    const read = (connection: string) =>
      problemsOf(() => readQueueProgramConfig({ ...external, DB_CONNECTION: connection }))
    for (const wrong of [
      'postgresql://user:planted@host:port/db',
      'postgresql://user:planted@host:99999/db',
      'postgresql://user:planted/pw@host/db'
    ]) {
      const problems = read(wrong)
      t.match(problems, [/^DB_CONNECTION is not a valid URL/], wrong)
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
  }
)

t.test('with embedded services the sender may reach this machine and needs no key', async t => {
  const { sender, workers, metrics } = readSenderConfig({})
  t.match(sender, {
    secretKeys: null,
    allowHttp: true,
    disableAfterMs: 432_000_000,
    maxLanes: 500,
    laneLostAfterS: 30
  })
  t.same(
    sender.schedule,
    [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map(seconds => seconds * 1_000)
  )
  t.same(
    [
      sender.allowList?.check('127.9.9.9'),
      sender.allowList?.check('::1', 'ipv6'),
      sender.allowList?.check('10.0.0.1')
    ],
    [true, true, false]
  )
  t.same([workers, metrics], [1, { host: '127.0.0.1', port: 9_465 }])
})

t.test('with external services the sender uses only https to the public Internet', async t => {
  const strict = readSenderConfig({ ...external, SENDER_SECRET_KEYS: senderKeys }).sender
  t.match(strict, { secretKeys: senderKeys, allowHttp: false, allowList: null })
  const loose = readSenderConfig({
    ...external,
    SENDER_SECRET_KEYS: senderKeys,
    SENDER_ALLOW_HTTP: 'yes',
    SENDER_ALLOW_ADDRESSES: '10.1.0.0/16'
  })
  t.equal(loose.sender.allowHttp, true)
  t.equal(loose.sender.allowList?.check('10.1.2.3'), true)
  t.equal(
    readSenderConfig({ SENDER_ALLOW_HTTP: 'no' }).sender.allowHttp,
    false,
    'a setting also counts with embedded services'
  )
})

t.test('what the sender lacks is named with all its problems, and only to the sender', async t => {
  const wrong = {
    NODE_ENV: 'production',
    QUEUE_NAME: 'events',
    SENDER_RETRY_SCHEDULE: '5s,soon',
    SENDER_ALLOW_ADDRESSES: '10.0.0.0/8,here',
    SENDER_MAX_LANES: '0'
  }
  t.same(
    problemsOf(() => readSenderConfig(wrong)),
    [
      'SENDER_MAX_LANES must be a whole number from 1 to 10000, not "0"',
      'DB_CONNECTION is missing (NODE_ENV=production runs no embedded services)',
      'SENDER_SECRET_KEYS is missing (id:key, the key as `openssl rand -base64 32` prints it; older keys after it, separated by commas)',
      'SENDER_RETRY_SCHEDULE must be delays separated by commas, such as 5s,5m,2h (ms, s, m, h or d), not "5s,soon"',
      'SENDER_ALLOW_ADDRESSES is set (NODE_ENV=production sends to the public Internet only)',
      'SENDER_ALLOW_ADDRESSES: "here" is neither an address nor a range such as 127.0.0.0/8'
    ]
  )
  t.doesNotThrow(
    () => readProcessorConfig({ ...external, NODE_ENV: 'production' }),
    'the processor encrypts nothing'
  )
})

t.test('an invalid key is named and not shown', async t => {
  for (const wrong of ['planted', `planted:${'A'.repeat(42)}=`, `${senderKeys},planted`]) {
    const problems = problemsOf(() => readSenderConfig({ ...external, SENDER_SECRET_KEYS: wrong }))
    t.match(problems, [/^SENDER_SECRET_KEYS must be id:key, /], wrong)
    t.notMatch(problems.join(), 'planted')
  }
  t.doesNotThrow(() =>
    readSenderConfig({
      ...external,
      SENDER_SECRET_KEYS: `${senderKeys}, old:${Buffer.alloc(32).toString('base64')}`
    })
  )
})
