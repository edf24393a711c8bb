import type { LaneChange } from '../../../../../engine/dispatch/dispatch.js'
import type { Queryable } from '../../../../../engine/postgres/queryable.js'

const CHANGE = {
  healthy: `
UPDATE endpoint SET failing_since = NULL, circuit_opened = 0
WHERE id = $1 AND (failing_since IS NOT NULL OR circuit_opened > 0)`,
  failing: `
UPDATE endpoint SET failing_since = now() - $2::float8 * interval '1 millisecond'
WHERE id = $1 AND failing_since IS NULL`,
  // Several concurrent attempts may each ask for a pause: the longest counts.
  paused: `
UPDATE endpoint
SET paused_until = greatest(paused_until, now() + $2::float8 * interval '1 millisecond'), circuit_opened = $3
WHERE id = $1`,
  disabled: `
UPDATE endpoint SET state = 'disabled-by-failure', disabled_reason = $2, disabled_at = now()
WHERE id = $1 AND state = 'enabled'`
} as const satisfies Record<LaneChange['kind'], string>

export async function changeEndpoint(db: Queryable, id: number, change: LaneChange): Promise<void> {
  await db.query(CHANGE[change.kind], [id, ...valuesOf(change)])
}

function valuesOf(change: LaneChange): readonly unknown[] {
  switch (change.kind) {
    case 'healthy':
      return []
    case 'failing':
      return [change.forMs]
    case 'paused':
      return [change.forMs, change.circuitOpened]
    case 'disabled':
      return [change.reason]
  }
}
