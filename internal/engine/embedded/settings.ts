/** Where embedded services keep their data and listen, and whether they are allowed. */
import { defineSettings, PORT } from '../config/setting.js'

export const EMBEDDED_SETTINGS = defineSettings('Embedded services', {
  DATA_DIR: {
    type: 'string',
    default: '.data',
    description: 'Where embedded PostgreSQL and SQS keep their data'
  },
  EMBEDDED_POSTGRES_PORT: {
    ...PORT,
    default: 54_329,
    description: 'Port of embedded PostgreSQL; 0 picks a free one'
  },
  EMBEDDED_SQS_PORT: {
    ...PORT,
    default: 4_566,
    description: 'Port of embedded SQS; 0 picks a free one'
  },
  NODE_ENV: {
    type: 'string',
    default: 'development',
    enum: ['development', 'test', 'production'],
    description: 'production refuses embedded services'
  }
})
