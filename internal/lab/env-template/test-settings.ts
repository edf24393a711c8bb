/** The database of the tests, which read these settings themselves. */
import { defineSettings } from '../../engine/config/setting.js'

export const TEST_SETTINGS = defineSettings('Tests', {
  DB_DRIVER_TEST: {
    type: 'string',
    default: 'postgres',
    enum: ['postgres'],
    description: 'Driver of the test database'
  },
  DB_CONNECTION_TEST: {
    type: 'string',
    secret: true,
    pattern: '^postgres(ql)?://',
    shape: 'postgresql://user:password@host:5433/database?sslmode=disable',
    description:
      'Server for the tests, with a user who may create databases; if absent, an embedded one'
  }
})
