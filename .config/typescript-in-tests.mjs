/**
 * Tests run the sources directly: Node strips the types itself, and this finds `x.ts`
 * where an import says `x.js`, its compiled name. Compiling all that a test imports, anew
 * in each process, took more CPU time than most of the tests.
 *
 * V8's compiled code is kept for the next process, except when coverage is measured: it
 * would be less exact.
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
