/**
 * Tests run the sources as they are: Node strips the types itself, and this finds `x.ts`
 * where an import says `x.js`, the name it has once compiled. To compile all that a test
 * imports, anew in each process, cost more processor time than most of the tests.
 *
 * What V8 has compiled is kept for the next process, except where coverage is measured,
 * which would be less exact with it.
 */
import { enableCompileCache, registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

if (process.env.TAP_DISABLE_COVERAGE === '1')
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)))

registerHooks({
  resolve(specifier, context, nextResolve) {
    try {
      return nextResolve(specifier, context)
    } catch (error) {
      if (error.code !== 'ERR_MODULE_NOT_FOUND' || !/^(\.|file:).*\.js$/.test(specifier))
        throw error
      return nextResolve(specifier.replace(/js$/, 'ts'), context)
    }
  }
})
