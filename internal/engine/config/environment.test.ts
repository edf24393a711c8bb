import t from 'tap'
import { ConfigError, readRightValues, readValues, wrongValue } from './environment.js'
import { defineSettings, PORT } from './setting.js'

const { settings } = defineSettings('Tiny', {
  COUNT: { type: 'integer', default: 3, minimum: 1, maximum: 9, description: 'How many' },
  KIND: { type: 'string', enum: ['round', 'square'], description: 'Which' },
  PORT: { ...PORT, description: 'Where' },
  KEY: { type: 'string', secret: true, pattern: '^k', shape: 'a key', description: 'Whose' }
})

t.test('values have the types of their settings, and defaults where unset', async t => {
  const { values, problems } = readValues(settings, { COUNT: '7', KIND: 'round', OTHER: 'x' })
  const count: number = values.COUNT
  const kind: 'round' | 'square' | undefined = values.KIND
  const port: number | undefined = values.PORT
  t.same([count, kind, port, problems], [7, 'round', undefined, []])
  t.same(readRightValues(settings, { COUNT: '' }), { COUNT: 3 }, 'an empty one is unset')
})

t.test('every wrong value is named with its remedy, and a secret one is not shown', async t => {
  const env = { COUNT: '10', KIND: 'oval', PORT: 'x', KEY: 'planted' }
  const wrong = [
    'COUNT must be a whole number from 1 to 9, not "10"',
    'KIND must be one of round, square, not "oval"',
    'PORT must be a whole number from 0 to 65535, not "x"',
    'KEY must be a key'
  ]
  const reading = readValues(settings, env)
  t.same(reading.problems, wrong)
  t.equal(reading.values.KEY, 'planted', 'later readers see what was written')
  t.throws(() => readRightValues(settings, env), new ConfigError(wrong))
  t.equal(wrongValue('KEY', settings.KEY, env), 'KEY must be a key')
})
