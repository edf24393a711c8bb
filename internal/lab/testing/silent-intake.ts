/** An intake whose observers do nothing, for tests that override some of them. */
import type { CommitJournal } from '../../engine/intake/committer.js'
import type { IntakeObserver } from '../../engine/intake/observer.js'

const nothing = (): void => undefined

export const SILENT_INTAKE: IntakeObserver<unknown> = {
  received: nothing,
  committed: nothing,
  receiveFailed: nothing,
  deleteFailed: nothing,
  extendFailed: nothing,
  storeFailed: nothing,
  storeRecovered: nothing,
  gateChanged: nothing,
  leftToQueue: nothing
}

export const SILENT_JOURNAL: CommitJournal<unknown> = {
  committing: () => Promise.resolve(),
  committed: nothing,
  rolledBack: nothing
}
