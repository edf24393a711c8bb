import t from 'tap'
import { formatToken, parseToken, type TransactionToken } from './transaction-token.js'

t.test('a token is read back as it was written', async t => {
  const tokens: TransactionToken[] = [
    { xid: '1', witness: null },
    { xid: '18446744073709551615', witness: { table: 'rejection', key: ['q "1"'] } },
    { xid: '7', witness: { table: 'item', key: ['a,b', '["é\u2028"]'] } }
  ]
  for (const token of tokens) t.same(parseToken(formatToken(token)), token)
})

t.test('any other text is refused', async t => {
  for (const text of [
    '',
    '7',
    '[]',
    '["x"]',
    '[7]',
    '["7",1]',
    '["7","a"]',
    '{"xid":"7"}',
    'null',
    '["-7"]'
  ]) {
    t.throws(() => parseToken(text), RangeError, text)
  }
})
