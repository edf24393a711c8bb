// The layers of internal/docs/architecture.md as rules. A test file may import anything: it is the one place where adapters meet.
const test = '[.]test[.]ts$|^internal/testing/'
const pure = '^internal/(message|validate|batch|retry)/'
const adapter = '^internal/(queue|store)/(sqs|postgres|memory)[^/]*[.]ts$'
const composition = '^internal/(app|bench|chaos|soak)/'
const rule = (name, from, to) => ({ name, severity: 'error', from, to })
module.exports = {
  forbidden: [
    rule('no-cycles', {}, { circular: true }),
    rule('no-orphan-imports', {}, { couldNotResolve: true }),
    rule(
      'cmd-only-starts-an-app',
      { path: '^cmd/' },
      { path: '^(cmd|internal)/', pathNot: '^internal/(app|bench|chaos|config|lifecycle|soak)/' }
    ),
    rule('nobody-imports-cmd', { path: '^internal/' }, { path: '^cmd/' }),
    rule('pure-stays-pure', { path: pure, pathNot: test }, { pathNot: [pure, 'node_modules/(ajv|re2js)'] }),
    rule('adapters-are-chosen-in-app', { pathNot: [composition, test] }, { path: adapter }),
    rule('pg-stays-in-store-and-embedded', { pathNot: ['^internal/(store|embedded)/', composition, test] }, { path: 'node_modules/pg/' }),
    rule('aws-stays-in-queue', { pathNot: ['^internal/queue/', composition, test] }, { path: 'node_modules/(@aws-sdk|sqs-consumer)/' }),
    rule('undici-stays-in-queue-and-egress', { pathNot: ['^internal/(queue|egress)/', test] }, { path: 'node_modules/undici/' }),
    rule(
      'the-judge-of-signatures-is-not-the-signer',
      { pathNot: ['^internal/receiver/', test] },
      { path: 'node_modules/standardwebhooks/' }
    ),
    rule(
      'egress-is-an-edge',
      { path: '^internal/egress/', pathNot: test },
      { path: '^internal/', pathNot: '^internal/(egress|lifecycle|message)/' }
    ),
    rule(
      'receiver-is-a-recipient',
      { path: '^internal/receiver/', pathNot: test },
      { path: '^internal/', pathNot: '^internal/(egress/secret[.]ts|lifecycle/|producer/|receiver/)' }
    ),
    rule(
      'admin-and-intake-see-ports-only',
      { path: '^internal/(admin|intake)/', pathNot: test },
      { path: '^internal/(app|bench|chaos|config|embedded|http|soak)/' }
    ),
    rule('test-kit-only-in-tests', { pathNot: test }, { path: '^internal/testing/' })
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] }
  }
}
