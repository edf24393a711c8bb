/** `rejections`: lists, shows, redrives and exports refused events. */
import type { Options } from '../../../engine/cli/command.js'
import { readText } from '../../../engine/cli/options.js'
import { createRejectionFilters } from '../../../engine/rejections/filters.js'
import { createRejectionsGroup } from '../../../engine/rejections/group.js'
import type { Recheck } from '../../../engine/rejections/spec.js'
import type { BodyView } from '../../../engine/rejections/view.js'
import { REJECTION_REASONS } from '../event/event.js'
import type { EventRejectionFilter, EventRejectionHead } from '../store/records.js'
import type { AdminContext, AdminGroup } from './context.js'
import { resend } from './resend.js'
import { createWouldAccept } from './would-accept.js'

const CONDITIONS: Options = {
  client: { value: 'NAME', text: 'only those whose body names this client' },
  'event-type': { value: 'NAME', text: 'only those whose body names this event type' }
}

const BODY: BodyView<EventRejectionHead> = {
  columns: [
    { title: 'client', keeps: 8 },
    { title: 'event type', keeps: 8 }
  ],
  cells: ({ clientId, eventType }) => [clientId ?? '-', eventType ?? '-'],
  fields: ({ clientId, eventType, messageId }) => [
    ['client', clientId ?? '-'],
    ['event type', eventType ?? '-'],
    ['message id', messageId ?? '-']
  ],
  json: ({ clientId, eventType, messageId }) => ({ clientId, eventType, messageId })
}

const SCHEMA_FIXED: Recheck<AdminContext> = {
  option: 'schema-fixed',
  text:
    'check each against the current schemas, clients and event types, ' +
    'and send only what would be accepted',
  reasons: ['schema-violation', 'unknown-client', 'unknown-event-type'],
  open: async context => (await createWouldAccept({ ...context, candidate: null })).objectionToBody
}

export const rejectionsGroup: AdminGroup = createRejectionsGroup<
  AdminContext,
  EventRejectionFilter,
  EventRejectionHead
>({
  name: 'rejections',
  summary: 'Refused events: look at, redrive, export',
  filters: createRejectionFilters(REJECTION_REASONS, {
    options: CONDITIONS,
    read: flags => ({
      clientId: readText(flags, 'client'),
      eventType: readText(flags, 'event-type')
    }),
    none: { clientId: null, eventType: null }
  }),
  body: BODY,
  resend,
  recheck: SCHEMA_FIXED,
  elsewhere: id => `trace --queue-message ${id} looks everywhere else.`,
  remedy:
    'Fix the cause first: add the client, or activate another schema.\n' +
    '--schema-fixed checks schema violations, or with --reason unknown clients or event types; ' +
    'rejections that it holds back are not marked.',
  examples: {
    ls: [
      'rejections ls',
      'rejections ls --client client-1 --reason schema-violation --since 2h',
      'rejections ls --open --json'
    ],
    show: ['rejections show 0b6f2c1e-6f0e-4d3b-9f5c-2a9b6a0d7c11'],
    redrive: [
      'rejections redrive --reason unknown-client --client client-4 --dry-run',
      'rejections redrive --reason unknown-client --client client-4 --rate 100/s',
      'rejections redrive --schema-fixed --event-type user-app --since 1d',
      'rejections redrive --since 1d --limit 1000',
      'rejections redrive 0b6f2c1e-6f0e-4d3b-9f5c-2a9b6a0d7c11 --again'
    ],
    export: [
      'rejections export --out rejections.ndjson',
      'rejections export --client client-1 --since 7d | jq -r .body'
    ]
  }
})
