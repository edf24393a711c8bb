/** Where the tests find a database; they read these themselves. */
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
    description: 'Server for the tests, whose user may create databases; absent: an embedded one'
  }
})
