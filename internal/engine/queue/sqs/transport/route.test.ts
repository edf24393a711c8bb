import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs'
import t from 'tap'
import { learnRoute } from './route.js'

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const NAME = '/123456789012/queue'

async function learn(
  config: SQSClientConfig,
  queueUrl: string,
  query: Record<string, string> = {}
) {
  const silent = () => undefined
  const logger = { debug: silent, info: silent, warn: silent, error: silent }
  const client = new SQSClient({ region: 'eu-west-1', credentials, logger, ...config })
  client.middlewareStack.add(
    next => args => {
      Object.assign(args.request as object, { query })
      return next(args)
    },
    { step: 'build' }
  )
  const route = await learnRoute(command => client.send(command), queueUrl).finally(() =>
    client.destroy()
  )
  return route === null
    ? null
    : { url: `${route.origin}${route.path}`, host: route.host, region: route.scope.region }
}

await t.test('a call goes where the SDK would send it', async t => {
  const rows = [
    {
      why: 'the region',
      config: {},
      queueHost: 'sqs.eu-west-1.amazonaws.com',
      want: 'https://sqs.eu-west-1.amazonaws.com/'
    },
    {
      why: 'FIPS',
      config: { region: 'us-east-1', useFipsEndpoint: true, useQueueUrlAsEndpoint: false },
      queueHost: 'sqs.us-east-1.amazonaws.com',
      want: 'https://sqs-fips.us-east-1.amazonaws.com/'
    },
    {
      why: 'dual stack',
      config: { useDualstackEndpoint: true, useQueueUrlAsEndpoint: false },
      queueHost: 'sqs.eu-west-1.amazonaws.com',
      want: 'https://sqs.eu-west-1.api.aws/'
    },
    {
      why: 'another partition',
      config: { region: 'cn-north-1' },
      queueHost: 'sqs.cn-north-1.amazonaws.com.cn',
      want: 'https://sqs.cn-north-1.amazonaws.com.cn/'
    },
    {
      why: 'the host of the queue URL',
      config: {},
      queueHost: 'vpce-1.sqs.example',
      want: 'https://vpce-1.sqs.example/'
    },
    {
      why: 'a configured endpoint beats the queue URL',
      config: { endpoint: 'http://localhost:4566' },
      queueHost: 'elsewhere.example',
      want: 'http://localhost:4566/'
    },
    {
      why: 'an endpoint in a folder',
      config: { endpoint: 'https://gateway.example/sqs/v1' },
      queueHost: 'x.example',
      want: 'https://gateway.example/sqs/v1/'
    },
    {
      why: 'a default port is left out',
      config: { endpoint: 'https://a.example:443' },
      queueHost: 'x.example',
      want: 'https://a.example/'
    }
  ]
  for (const { why, config, queueHost, want } of rows) {
    const { host } = new URL(want)
    const region = 'region' in config ? config.region : 'eu-west-1'
    t.strictSame(
      await learn(config, `https://${queueHost}${NAME}`),
      { url: want, host, region },
      why
    )
  }
})

await t.test('routes that need encoding or another signature are left to the SDK', async t => {
  const endpoints = [
    'http://localhost:4566/with%20space',
    'http://localhost:4566/a/../b%2Fc',
    'http://localhost:4566/a.b'
  ]
  for (const endpoint of endpoints)
    t.equal(await learn({ endpoint }, `http://localhost${NAME}`), null, endpoint)
  t.equal(
    await learn({}, `https://sqs.eu-west-1.amazonaws.com${NAME}`, { x: '1' }),
    null,
    'a query'
  )
  t.equal(
    await learn(
      { signer: { sign: request => Promise.resolve(request) } },
      `https://sqs.eu-west-1.amazonaws.com${NAME}`
    ),
    null,
    'unsigned'
  )
})

await t.test('what the SDK lacks is an error of the SDK', async t => {
  const refuse = () =>
    Promise.reject(Object.assign(new Error('none'), { name: 'CredentialsProviderError' }))
  await t.rejects(learn({ credentials: refuse }, `https://sqs.eu-west-1.amazonaws.com${NAME}`), {
    name: 'CredentialsProviderError'
  })
  await t.rejects(learn({ region: 'not a region' }, `https://sqs.eu-west-1.amazonaws.com${NAME}`))
})
