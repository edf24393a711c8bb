import t from 'tap'
import { didYouMean, nearest } from './nearest.js'

t.test('a mistyped word finds the one that was meant; an unrelated word finds none', async t => {
  const words = ['rejections', 'dead-letters', 'trace', 'ls', 'redrive', 'show']
  const rows: readonly (readonly [typed: string, want: string | null])[] = [
    ['rejection', 'rejections'],
    ['rejectoins', 'rejections'],
    ['deadletters', 'dead-letters'],
    ['dead_letter', 'dead-letters'],
    ['rdrive', 'redrive'],
    ['re-drive', 'redrive'],
    ['list', null],
    ['sl', 'ls'],
    ['tr', 'trace'],
    ['x', null],
    ['everything', null],
    ['', null]
  ]
  for (const [typed, want] of rows) t.equal(nearest(typed, words), want, typed)
  t.equal(didYouMean('clinet', ['client', 'limit'], '--'), ', did you mean --client?')
  t.equal(didYouMean('nothing', ['client']), '')
})
