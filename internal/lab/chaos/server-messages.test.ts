import t from 'tap'
import { serverMessage } from '../testing/server-message.js'
import { ServerMessages } from './server-messages.js'

const parts = [
  serverMessage('T', 'columns'),
  serverMessage('2'),
  serverMessage('C', 'INSERT 0 1\0'),
  serverMessage('C', 'COMMIT\0'),
  serverMessage('Z', 'I')
]
const stream = Buffer.concat(parts)
const want = ['T', '2', 'C INSERT 0 1', 'C COMMIT', 'Z']
const name = ({ type, tag }: { type: string; tag: string }): string =>
  tag === '' ? type : `${type} ${tag}`

t.test('messages are found with their tags and starting positions', async t => {
  const found = new ServerMessages().feed(stream)
  t.same(found.map(name), want)
  let at = 0
  for (const [index, part] of parts.entries()) {
    t.equal(found[index]?.startsAt, at, `message ${index}`)
    at += part.length
  }
})

t.test(
  'however the stream is cut, each message is found once, in the chunk that ends it',
  async t => {
    for (let first = 0; first <= stream.length; first++) {
      for (const second of [first, Math.min(first + 3, stream.length), stream.length]) {
        const messages = new ServerMessages()
        const chunks = [
          stream.subarray(0, first),
          stream.subarray(first, second),
          stream.subarray(second)
        ]
        const found = chunks.flatMap(chunk => messages.feed(chunk))
        if (found.map(name).join() !== want.join())
          t.fail(`cut at ${first} and ${second}: ${found.map(name).join()}`)
      }
    }
    const messages = new ServerMessages()
    const [opening = Buffer.alloc(0)] = parts
    t.same(messages.feed(opening.subarray(0, 3)), [])
    t.equal(
      messages.feed(stream.subarray(3))[0]?.startsAt,
      0,
      'a message that began in an earlier chunk starts at 0'
    )
  }
)
