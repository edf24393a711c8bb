import t from 'tap'
import { refuseEndpointHeader } from './header.js'

t.test('a client’s own header is accepted', async t => {
  for (const [name, value] of [
    ['authorization', 'Bearer abc.def=='],
    ['x-api-key', 'k'],
    ['x-text', 'two words\tand a tab'],
    ['x-long', 'v'.repeat(4_096)]
  ] as const)
    t.equal(refuseEndpointHeader(name, value), null, name)
})

t.test('headers for framing, the host or the signature are refused', async t => {
  for (const name of [
    'host',
    'content-length',
    'transfer-encoding',
    'connection',
    'upgrade',
    'te',
    'expect',
    'accept-encoding',
    'content-type',
    'user-agent',
    'webhook-id',
    'webhook-signature',
    'proxy-authorization'
  ])
    t.match(refuseEndpointHeader(name, 'x'), /set by the sender/, name)
})

t.test('text that could end the header and begin another is refused', async t => {
  for (const name of ['', 'a b', 'a:', 'a\r\nb', 'Ä', 'A', 'x'.repeat(101)])
    t.match(refuseEndpointHeader(name, 'x'), /name must/, JSON.stringify(name))
  for (const value of ['', ' x', 'x ', 'a\r\nb: c', 'a\nb', 'a\0', 'ä', '\x7f'])
    t.match(refuseEndpointHeader('x-a', value), /visible ASCII/, JSON.stringify(value))
  t.match(refuseEndpointHeader('x-a', 'v'.repeat(4_097)), /more than 4096/)
})

t.test('a value is never repeated', async t => {
  t.notMatch(refuseEndpointHeader('x-a', 'hunter2\n'), /hunter2/)
})
