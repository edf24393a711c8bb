/** The settings of the sender alone. */
import { defineSettings, PORT } from '../../../engine/config/setting.js'

export const SENDER_SETTINGS = defineSettings('Sender', {
  SENDER_SECRET_KEYS: {
    type: 'string',
    secret: true,
    pattern:
      '^ *[A-Za-z0-9_-]{1,32}:[A-Za-z0-9+/]{43}=( *, *[A-Za-z0-9_-]{1,32}:[A-Za-z0-9+/]{43}=)* *$',
    shape:
      'id:key, the key as `openssl rand -base64 32` prints it; older keys after it, separated by commas',
    description:
      'Keys that encrypt endpoints’ secrets and headers in the database: ' +
      'the first one encrypts, all of them decrypt; ' +
      'with embedded services, one is made and kept in DATA_DIR/sender-secret-key'
  },
  SENDER_ALLOW_HTTP: {
    type: 'string',
    enum: ['no', 'yes'],
    description:
      'yes allows endpoints whose URL begins with http://, ' +
      'where anyone on the path can read the events; default: no, with embedded services yes'
  },
  SENDER_ALLOW_ADDRESSES: {
    type: 'string',
    shape: 'addresses and ranges separated by commas, such as 127.0.0.0/8,::1',
    description:
      'Addresses outside the public Internet that endpoints may have, for development; ' +
      'default: none, with embedded services 127.0.0.0/8,::1; refused with NODE_ENV=production'
  },
  SENDER_RETRY_SCHEDULE: {
    type: 'string',
    default: '5s,5m,30m,2h,5h,10h,14h,20h,24h',
    shape: 'delays separated by commas, such as 5s,5m,2h (ms, s, m, h or d)',
    description:
      'Delays between a failed attempt and the next one; when they are used up, the delivery is dead'
  },
  SENDER_DISABLE_AFTER_H: {
    type: 'integer',
    default: 120,
    minimum: 1,
    maximum: 8_760,
    description: 'Hours without a successful attempt after which an endpoint is disabled'
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
      'Seconds after which another sender takes over the endpoints of one that was killed or hangs'
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
      'Port of the sender’s /metrics, /livez and /readyz, at METRICS_HOST; 0 picks a free one'
  }
})
