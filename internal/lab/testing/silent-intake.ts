/** An intake that nobody listens to, for tests that listen to some of it. */
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
