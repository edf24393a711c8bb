import t from 'tap'
import { workerMalloc } from './worker-memory.js'

t.test('a worker returns freed memory, unless the environment says otherwise', async t => {
  t.same(workerMalloc({}), {
    MALLOC_ARENA_MAX: '2',
    MALLOC_MMAP_THRESHOLD_: '131072',
    MALLOC_TRIM_THRESHOLD_: '131072'
  })
  t.same(workerMalloc({ MALLOC_ARENA_MAX: '8', MALLOC_TRIM_THRESHOLD_: '' }), {
    MALLOC_MMAP_THRESHOLD_: '131072'
  })
})
