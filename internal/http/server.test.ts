import t from 'tap'
import { plain, startHttpServer } from './server.js'

const start = (port = 0) =>
  startHttpServer({
    host: '127.0.0.1',
    port,
    portSetting: 'SOME_PORT',
    routes: {
      '/ok': () => plain(200, 'fine\n'),
      '/broken': () => Promise.reject(new Error('a secret detail'))
    }
  })

t.test('routes answer, others and other methods do not, and a failure says nothing of its inside', async t => {
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
