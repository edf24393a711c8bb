import t from 'tap'
import { isStorable, isWellFormed, toStorable, toStorableText } from './storable.js'

t.test('text with U+0000 or a lone surrogate cannot be stored, any other text can', async t => {
  const storable = ['', 'a', '\u0001', '\u2028', '\uffff', '😀', '\ue000\ud7ff']
  const unstorable = ['\0', 'a\0', '\ud800', 'a\udfff', '\ude00\ud83d', '😀\ud83d']
  t.strictSame([...storable, ...unstorable].filter(isStorable), storable)
})

t.test('U+0000 alone leaves text well-formed', async t => {
  t.ok(isWellFormed('\0'))
  t.notOk(isWellFormed('\ud800'))
})

t.test('text made storable is cut at its limit and loses only what cannot be stored', async t => {
  t.equal(toStorable('abcde', 5), 'abcde')
  t.equal(toStorable('abcdef', 5), 'abcd…')
  t.equal(toStorable('a\0b\ud800c😀', 20), 'a\ufffdb\ufffdc😀')
  t.equal(toStorable('abc😀f', 5), 'abc\ufffd…', 'the cut divides a pair')
})

t.test('only a text that PostgreSQL cannot hold is written as a JSON string', async t => {
  for (const text of ['', 'plain', '"quoted"', '\\u0000', 'é 🎫 \u2028'])
    t.equal(toStorableText(text), text)
  for (const text of ['\0', 'a\ud800', '\udc00"']) t.equal(JSON.parse(toStorableText(text)), text)
  t.equal(toStorableText('\0'), '"\\u0000"')
})
