// The layers of internal/docs/architecture.md as rules. A test may import anything: only
// there do adapters meet.
const test = '[.]test[.]ts$|^internal/lab/(testing|simulation|e2e)/'
const pure = '^internal/(engine/(message|retry)|systems/[^/]+/(event|schemas))/'
const anySystem = '^internal/systems/([^/]+)/'
const adapter =
  '^internal/(engine/queue/sqs/(?!settings).*|systems/[^/]+/(store|delivery/store)/postgres[^/]*)[.]ts$'
const composition = '^internal/(systems/[^/]+/app/|systems/[^/]+[.]ts$|lab/)'
const rule = (name, from, to) => ({ name, severity: 'error', from, to })
module.exports = {
  forbidden: [
    rule('no-cycles', {}, { circular: true }),
    rule('no-orphan-imports', {}, { couldNotResolve: true }),
    rule(
      'engine-names-no-system',
      { path: '^internal/engine/', pathNot: test },
      { path: '^internal/systems/' }
    ),
    rule(
      'lifecycle-stands-at-the-bottom',
      { path: '^internal/engine/lifecycle/', pathNot: test },
      { path: '^internal/', pathNot: '^internal/engine/lifecycle/' }
    ),
    rule(
      'systems-know-nothing-of-each-other',
      { path: anySystem, pathNot: test },
      { path: anySystem, pathNot: '^internal/systems/$1/' }
    ),
    rule(
      'the-list-of-systems-is-for-programs-of-all',
      { path: '^internal/(engine|systems/[^/]+)/', pathNot: test },
      { path: '^internal/systems/systems[.]ts$' }
    ),
    rule(
      'who-reads-the-list-loads-no-system',
      { path: '^internal/systems/[^/]+/system[.]ts$' },
      { dynamic: false, pathNot: '/(settings|migrations|engine/program/system)[.]ts$' }
    ),
    rule(
      'lab-is-for-lab-and-tests',
      { path: '^internal/(engine|systems|docs)/', pathNot: test },
      { path: '^internal/lab/' }
    ),
    rule(
      'test-kit-only-in-tests',
      { pathNot: test },
      { path: '^internal/lab/(testing|simulation|e2e)/' }
    ),
    rule('nobody-imports-cmd', { path: '^internal/' }, { path: '^cmd/' }),
    rule(
      'cmd-only-starts-an-app',
      { path: '^cmd/' },
      {
        path: '^(cmd|internal)/',
        pathNot:
          '^internal/(engine/lifecycle/|systems/[^/]+/(app|recipient)/|systems/[^/]+[.]ts$|lab/)'
      }
    ),
    rule(
      'pure-stays-pure',
      { path: pure, pathNot: test },
      { pathNot: [pure, 'node_modules/(ajv|re2js)'] }
    ),
    rule(
      'adapters-are-chosen-in-app',
      { pathNot: [composition, test, adapter] },
      { path: adapter }
    ),
    rule(
      'pg-stays-in-postgres-and-stores',
      {
        pathNot: [
          '^internal/engine/(postgres|dispatch|embedded)/',
          '^internal/systems/[^/]+/(store|delivery/store)/',
          composition,
          test
        ]
      },
      { path: 'node_modules/pg/' }
    ),
    rule(
      'aws-stays-in-the-sqs-adapter',
      { pathNot: ['^internal/engine/(queue/sqs|embedded)/', composition, test] },
      { path: 'node_modules/(@aws-sdk|sqs-consumer)/' }
    ),
    rule(
      'undici-stays-at-the-edges',
      { pathNot: ['^internal/engine/(queue/sqs|egress)/', test] },
      { path: 'node_modules/undici/' }
    ),
    rule(
      'the-judge-of-signatures-is-not-the-signer',
      { pathNot: ['^internal/systems/events/recipient/', test] },
      { path: 'node_modules/standardwebhooks/' }
    ),
    rule(
      'egress-is-an-edge',
      { path: '^internal/engine/egress/', pathNot: test },
      { path: '^internal/', pathNot: '^internal/engine/(egress|lifecycle|message)/' }
    )
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types']
    }
  }
}
