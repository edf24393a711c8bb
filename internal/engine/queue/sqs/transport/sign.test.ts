import { hash } from 'node:crypto'
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import fc from 'fast-check'
import t from 'tap'
import { type Fields, isFields } from './hot-calls.js'
import { interceptRequest } from './sdk-command.js'
import { awsDate, createRequestSigner, type RequestToSign, sha256, signingKey } from './sign.js'

const secret = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
}
const scope = { region: 'us-east-1', service: 'service' }
const DATE = '20150830T123600Z'
const TOKEN =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/' +
  'kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64l' +
  'IZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=='

const HOST: [string, string] = ['host', 'example.amazonaws.com']
const AT: [string, string] = ['x-amz-date', DATE]
const FORM = 'application/x-www-form-urlencoded'
const request = (over: Partial<RequestToSign> & { body?: string } = {}): RequestToSign => ({
  method: 'POST',
  path: '/',
  query: '',
  headers: [HOST, AT],
  bodyHash: sha256(over.body ?? ''),
  ...over
})

await t.test('the signatures of AWS’s published test suite are reproduced', async t => {
  const rows: { name: string; signed: RequestToSign; want: string }[] = [
    {
      name: 'get-vanilla',
      signed: request({ method: 'GET' }),
      want: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'
    },
    {
      name: 'get-vanilla-query-order-key-case',
      signed: request({ method: 'GET', query: 'Param1=value1&Param2=value2' }),
      want: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500'
    },
    {
      name: 'post-vanilla',
      signed: request(),
      want: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'
    },
    {
      name: 'post-header-key-sort',
      signed: request({ headers: [HOST, ['my-header1', 'value1'], AT] }),
      want: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c'
    },
    {
      name: 'post-header-value-case',
      signed: request({ headers: [HOST, ['my-header1', 'VALUE1'], AT] }),
      want: 'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d'
    },
    {
      name: 'post-x-www-form-urlencoded',
      signed: request({ headers: [['content-type', FORM], HOST, AT], body: 'Param1=value1' }),
      want: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a'
    },
    {
      name: 'post-x-www-form-urlencoded-parameters',
      signed: request({
        headers: [['content-type', `${FORM}; charset=utf8`], HOST, AT],
        body: 'Param1=value1'
      }),
      want: '1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe'
    },
    {
      name: 'post-sts-header-before',
      signed: request({ headers: [HOST, AT, ['x-amz-security-token', TOKEN]] }),
      want: '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead'
    }
  ]
  const signer = createRequestSigner(secret, scope)
  for (const { name, signed, want } of rows) {
    const names = signed.headers.map(([header]) => header).join(';')
    const credential = 'AKIDEXAMPLE/20150830/us-east-1/service/aws4_request'
    t.equal(
      signer.authorization(signed, DATE),
      `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${want}`,
      name
    )
  }
  const iam = { region: 'us-east-1', service: 'iam' }
  t.equal(
    signingKey(secret.secretAccessKey, '20150830', iam).toString('hex'),
    'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9'
  )
})

await t.test('a signer that lives past midnight signs with the new day', async t => {
  const lasting = createRequestSigner(secret, scope)
  for (const date of [
    '20150830T235959Z',
    '20150831T000000Z',
    '20150831T000001Z',
    '20150830T235959Z'
  ]) {
    t.equal(
      lasting.authorization(request(), date),
      createRequestSigner(secret, scope).authorization(request(), date),
      date
    )
  }
})

await t.test('a date is written as AWS writes it', async t => {
  t.equal(awsDate(Date.UTC(2015, 7, 30, 12, 36, 0)), DATE)
  t.equal(awsDate(Date.UTC(2026, 0, 2, 3, 4, 5, 999)), '20260102T030405Z')
})

await t.test("any request gets exactly the signature of the SDK's own signer", async t => {
  const printable = fc.string({
    minLength: 1,
    maxLength: 40,
    unit: fc.integer({ min: 33, max: 126 }).map(code => String.fromCharCode(code))
  })
  const anyRequest = fc.record({
    accessKeyId: printable,
    secretAccessKey: fc.string({ minLength: 1, maxLength: 80, unit: 'binary' }),
    sessionToken: fc.option(printable, { nil: undefined }),
    region: fc.stringMatching(/^[a-z]{2}-[a-z]{4,9}-[1-9]$/),
    host: fc.domain(),
    port: fc.integer({ min: 1, max: 65_535 }),
    folder: fc.constantFrom('', '/queues', '/a/b_c-d'),
    text: fc.string({ maxLength: 200, unit: 'grapheme' })
  })
  const property = fc.asyncProperty(
    anyRequest,
    async ({ accessKeyId, secretAccessKey, sessionToken, region, host, port, folder, text }) => {
      const credentials = {
        accessKeyId,
        secretAccessKey,
        ...(sessionToken === undefined ? {} : { sessionToken })
      }
      const endpoint = `https://${host}:${port}${folder}`
      const client = new SQSClient({ region, endpoint, credentials, useQueueUrlAsEndpoint: false })
      const command = new ReceiveMessageCommand({ QueueUrl: text, MessageAttributeNames: [text] })
      let built: Fields = {}
      interceptRequest(command, request => {
        built = request
      })
      await client.send(command)
      client.destroy()
      const headers = isFields(built['headers']) ? built['headers'] : {}
      const signed =
        /SignedHeaders=([^,]+)/.exec(String(headers['authorization']))?.[1]?.split(';') ?? []
      const ours = createRequestSigner(credentials, { region, service: 'sqs' }).authorization(
        {
          method: 'POST',
          path: String(built['path']),
          query: '',
          headers: signed.map(name => [name, String(headers[name])]),
          bodyHash: hash('sha256', built['body'] as Uint8Array)
        },
        String(headers['x-amz-date'])
      )
      return ours === headers['authorization']
    }
  )
  await t.resolves(fc.assert(property, { numRuns: 100 }))
})
