/** How much is logged, and in which form. */
import { defineSettings } from '../config/setting.js'

export const LOG_SETTINGS = defineSettings('Logs', {
  LOG_LEVEL: {
    type: 'string',
    default: 'info',
    enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    description:
      'info: a line per second and per notable event; debug: a line per step of each batch; trace: a line per message'
  },
  LOG_FORMAT: {
    type: 'string',
    default: 'auto',
    enum: ['auto', 'json', 'pretty'],
    description: 'auto: pretty on a terminal, JSON lines elsewhere'
  }
})
