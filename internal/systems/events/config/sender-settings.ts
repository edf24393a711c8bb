/** The settings of the sender alone. */
import { defineSettings, PORT } from '../../../engine/config/setting.js'

export const SENDER_SETTINGS = defineSettings('Sender', {
  SENDER_SECRET_KEYS: {
    type: 'string',
    secret: true,
    pattern:
      '^ *[A-Za-z0-9_-]{1,32}:[A-Za-z0-9+/]{43}=( *, *[A-Za-z0-9_-]{1,32}:[A-Za-z0-9+/]{43}=)* *$',
    shape:
      'id:key, the key as `openssl rand -base64 32` prints it; older keys behind it, with commas between',
    description:
      'Keys that endpoints’ secrets and headers are encrypted with in the database: the first one encrypts, all of them decrypt; with embedded services, one is made and kept in DATA_DIR/sender-secret-key'
  },
  SENDER_ALLOW_HTTP: {
    type: 'string',
    enum: ['no', 'yes'],
    description:
      'yes takes endpoints whose URL begins with http://, so that everybody on the way reads the events; default: no, with embedded services yes'
  },
  SENDER_ALLOW_ADDRESSES: {
    type: 'string',
    shape: 'addresses and ranges with commas between, such as 127.0.0.0/8,::1',
    description:
      'Addresses outside the public Internet that endpoints may have, for development; default: none, with embedded services 127.0.0.0/8,::1; refused with NODE_ENV=production'
  },
  SENDER_RETRY_SCHEDULE: {
    type: 'string',
    default: '5s,5m,30m,2h,5h,10h,14h,20h,24h',
    shape: 'delays with commas between, such as 5s,5m,2h (ms, s, m, h or d)',
    description:
      'How long after each failed attempt the next one is made; after the last of them the delivery is dead'
  },
  SENDER_DISABLE_AFTER_H: {
    type: 'integer',
    default: 120,
    minimum: 1,
    maximum: 8_760,
    description: 'An endpoint for which no attempt has succeeded for so many hours is disabled'
  },
  SENDER_MAX_LANES: {
    type: 'integer',
    default: 500,
    minimum: 1,
    maximum: 10_000,
    description: 'Endpoints that a worker of the sender sends to at once'
  },
  SENDER_LANE_LOST_AFTER_S: {
    type: 'integer',
    default: 30,
    minimum: 10,
    maximum: 3_600,
    description:
      'Seconds after which the endpoints of a sender that was killed, or stands still, are sent to by another one'
  },
  SENDER_WORKERS: {
    type: 'integer',
    default: 1,
    minimum: 1,
    maximum: 256,
    description: 'Worker processes of the sender'
  },
  SENDER_METRICS_PORT: {
    ...PORT,
    default: 9465,
    description:
      'Port of the sender’s /metrics, /livez and /readyz, at METRICS_HOST; 0 takes a free one'
  }
})
