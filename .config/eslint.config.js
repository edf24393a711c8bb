import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import tseslint from 'typescript-eslint'

const PARAMETERS_ONLY =
  'Values go into SQL as parameters ($1), never as text; ' +
  'only constants, named in capitals, may be part of it.'
const TAKE_A_CLOCK =
  'Take a Clock (internal/engine/lifecycle/clock.ts), so that tests can step time.'
const VALUE_INSIDE = ':has(> :not(TemplateElement):not(Identifier[name=/^[A-Z][A-Z0-9_]*$/]))'
const STATEMENT =
  '/^\\s*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|DROP|TRUNCATE|GRANT|REVOKE|SET|COPY|CALL|DO) /'
const SQL_CALL = 'CallExpression[callee.property.name=/^(query|sql)$/]'
/** SQL text put together from values, in a query or on its way to one. */
const composedSql = [
  `${SQL_CALL} > TemplateLiteral.arguments${VALUE_INSIDE}`,
  `${SQL_CALL} > BinaryExpression.arguments`,
  `${SQL_CALL} > ObjectExpression > Property[key.name="text"] > TemplateLiteral${VALUE_INSIDE}`,
  `${SQL_CALL} > ObjectExpression > Property[key.name="text"] > BinaryExpression`,
  `TemplateLiteral:has(> TemplateElement[value.raw=${STATEMENT}])${VALUE_INSIDE}`,
  `BinaryExpression[operator="+"] > Literal[value=${STATEMENT}]`
]

const root = dirname(dirname(fileURLToPath(import.meta.url)))

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '.tap/**', '**/*.mjs', '**/*.cjs', '.config/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: root } },
    rules: {
      eqeqeq: 'error',
      // The formatter breaks code at 100, but cannot break strings.
      'max-len': [
        'error',
        {
          code: 100,
          comments: 90,
          ignoreUrls: true,
          ignoreStrings: true,
          ignoreTemplateLiterals: true,
          ignoreRegExpLiterals: true
        }
      ],
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true }
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      'no-restricted-globals': [
        'error',
        {
          name: 'process',
          message:
            'The environment is read in internal/engine/config, ' +
            'signals in internal/engine/lifecycle; elsewhere take a parameter.'
        },
        { name: 'setTimeout', message: TAKE_A_CLOCK },
        { name: 'setInterval', message: TAKE_A_CLOCK }
      ],
      'no-restricted-syntax': [
        'error',
        ...composedSql.map(selector => ({ selector, message: PARAMETERS_ONLY }))
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: TAKE_A_CLOCK }
      ]
    }
  },
  {
    files: [
      'cmd/**/*.ts',
      'internal/engine/config/**/*.ts',
      'internal/engine/lifecycle/**/*.ts',
      'internal/engine/embedded/**/*.ts',
      'internal/engine/cluster/**/*.ts',
      'internal/engine/cli/**/*.ts',
      'internal/systems/*.ts',
      'internal/systems/*/app/**/*.ts',
      'internal/systems/*/config/**/*.ts',
      'internal/systems/*/recipient/**/*.ts',
      'internal/lab/**/*.ts'
    ],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' }
  },
  {
    files: ['**/*.test.ts', 'internal/lab/{testing,simulation,e2e}/**/*.ts'],
    rules: {
      // tap waits for a subtest's promise, and for `t.rejects` without await.
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // A loop that waits for a callback to set a variable looks endless; a switch over
      // some of many kinds is intended.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'off',
      // Names of databases and tables cannot be parameters, and each test makes its own.
      'no-restricted-syntax': 'off',
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off'
    }
  }
)
