/**
 * Tests run the sources as they are: Node strips the types itself, and this finds `x.ts`
 * where an import says `x.js`, the name it has once compiled. To compile all that a test
 * imports, anew in each process, cost more processor time than most of the tests.
 */
import { registerHooks } from 'node:module'

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
