import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { until } from '../../lab/testing/until.js'
import { plain, startHttpServer } from './server.js'

const start = (port = 0, host = '127.0.0.1') =>
  startHttpServer({
    host,
    port,
    portSetting: 'SOME_PORT',
    routes: {
      '/ok': () => plain(200, 'fine\n'),
      '/broken': () => Promise.reject(new Error('a secret detail'))
    }
  })

t.test('only routes answer, and only to GET and HEAD; a failure reveals no details', async t => {
  const server = await start()
  t.teardown(() => server.close())
  const ask = async (path: string, method = 'GET'): Promise<[number, string]> => {
    const response = await fetch(server.origin + path, { method })
    return [response.status, await response.text()]
  }
  t.same(await ask('/ok'), [200, 'fine\n'])
  t.same(await ask('/ok?x=1'), [200, 'fine\n'])
  t.same(await ask('/ok', 'HEAD'), [200, ''])
  t.same(await ask('/ok', 'POST'), [405, 'Only GET.\n'])
  t.same(await ask('/toString'), [404, 'Not here. Try /ok, /broken.\n'])
  const [status, body] = await ask('/broken')
  t.equal(status, 500)
  t.notMatch(body, /secret/)
})

t.test('a taken port is an error that names the setting', async t => {
  const server = await start()
  t.teardown(() => server.close())
  const port = Number(new URL(server.origin).port)
  await t.rejects(start(port), {
    name: 'ExpectedError',
    message: `127.0.0.1:${port} is taken by another program: set SOME_PORT to another one`
  })
})

/** A raw connection that sends `text`, and what it has received so far. */
function speak(
  t: Test,
  origin: string,
  text: string
): { readonly socket: Socket; heard: string; isClosed: boolean } {
  const { hostname, port } = new URL(origin)
  const socket = connect(Number(port), hostname, () => socket.write(text))
  const speaker = { socket, heard: '', isClosed: false }
  socket.on('data', data => (speaker.heard += String(data)))
  socket.on('error', () => undefined)
  socket.on('close', () => (speaker.isClosed = true))
  t.teardown(() => socket.destroy())
  return speaker
}

t.test('slow clients are cut off within seconds, and others are served meanwhile', async t => {
  const server = await start()
  t.teardown(() => server.close())
  const drip = 'GET /ok HTTP/1.1\r\nHost: here\r\nX-Slow: '
  const slow = Array.from({ length: 200 }, () => speak(t, server.origin, drip))
  const body = speak(
    t,
    server.origin,
    'POST /ok HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\nx'
  )
  await until('they are connected', () => slow.every(({ socket }) => socket.readyState === 'open'))
  t.equal((await fetch(`${server.origin}/ok`)).status, 200)
  await until('all of them are cut off', () => slow.every(({ isClosed }) => isClosed))
  for (const { heard } of slow) t.match(heard, /^HTTP\/1\.1 408 /)
  await until('a body that never ends is cut off too', () => body.isClosed)
  t.equal((await fetch(`${server.origin}/ok`)).status, 200)
})

t.test('surplus connections are dropped until the slow ones are gone', async t => {
  const server = await start()
  t.teardown(() => server.close())
  const many = Array.from({ length: 400 }, () => speak(t, server.origin, 'GET /ok'))
  await until('it serves again', async () =>
    fetch(`${server.origin}/ok`).then(
      ({ ok }) => ok,
      () => false
    )
  )
  t.ok(
    many.filter(({ heard }) => heard === '').length >= 144,
    'those above 256 were dropped without an answer'
  )
})

t.test('no answer repeats any part of its request', async t => {
  const server = await start()
  t.teardown(() => server.close())
  const mark = 'reflected-5f1c'
  const requests = [
    `GET /${mark} HTTP/1.1\r\nHost: here\r\n`,
    `GET /ok/../${mark}?q=<script>${mark}</script> HTTP/1.1\r\nHost: ${mark}\r\n`,
    `GET http://${mark}/ HTTP/1.1\r\nHost: ${mark}\r\nX-Forwarded-Host: ${mark}\r\nReferer: ${mark}\r\nOrigin: ${mark}\r\n`,
    `DELETE /ok?${mark} HTTP/1.1\r\nHost: here\r\n`,
    `OPTIONS * HTTP/1.1\r\nHost: ${mark}\r\nAccess-Control-Request-Method: ${mark}\r\n`,
    `TRACE / HTTP/1.1\r\nHost: here\r\nCookie: ${mark}\r\n`,
    `${mark} / HTTP/1.1\r\nHost: here\r\n`,
    `GET / HTTP/1.1\r\nHost: here\r\nbad header ${mark}\r\n`,
    `GET / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\nTransfer-Encoding: ${mark}\r\n`,
    `GET / HTTP/1.1\r\nHost: here\r\nX-Long: ${mark.repeat(1_000)}\r\n`
  ]
  for (const request of requests) {
    const speaker = speak(t, server.origin, `${request}Connection: close\r\n\r\n`)
    await until('it is answered', () => speaker.isClosed)
    t.match(speaker.heard, /^HTTP\/1\.1 4\d\d /, request.slice(0, 40))
    t.notMatch(speaker.heard, mark, request.slice(0, 40))
  }
})

t.test('it listens on its address and on no other', async t => {
  const [loopback, everywhere] = [await start(), await start(0, '0.0.0.0')]
  t.teardown(() => Promise.all([loopback.close(), everywhere.close()]))
  const portOf = ({ origin }: { origin: string }): string => new URL(origin).port
  await t.rejects(fetch(`http://[::1]:${portOf(loopback)}/ok`))
  t.equal((await fetch(`http://127.0.0.1:${portOf(everywhere)}/ok`)).status, 200)
})
