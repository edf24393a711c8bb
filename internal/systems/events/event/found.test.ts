import t from 'tap'
import { describeFound } from './found.js'

t.test('a value is described by kind and size, never by content', async t => {
  const rows = [
    { value: undefined, want: 'nothing' },
    { value: null, want: 'null' },
    { value: '', want: 'an empty string' },
    { value: 'secret', want: 'a string of 6 characters (6 bytes)' },
    { value: 'é😀\ud800', want: 'a string of 3 characters (9 bytes)' },
    { value: 4711, want: 'a number' },
    { value: true, want: 'a boolean' },
    { value: ['secret', 2], want: 'an array of 2 items' },
    { value: { secret: 1 }, want: 'an object' }
  ]
  for (const { value, want } of rows) t.equal(describeFound(value), want)
})
