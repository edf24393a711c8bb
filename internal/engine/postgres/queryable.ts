import type { ClientBase } from 'pg'

/** What runs a statement: a client, or a pool. */
export type Queryable = Pick<ClientBase, 'query'>
