/** What the programs of PostgreSQL are started with, and why one did not start. */

/** No PG* variable of the caller may reach the server. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, TZ } = process.env
  return {
    LC_ALL: 'C',
    ...(PATH === undefined ? {} : { PATH }),
    ...(TZ === undefined ? {} : { TZ })
  }
}

export function explainSpawn(error: unknown): string | undefined {
  const { code } = error as { code?: unknown }
  if (code === 'EPERM' || code === 'EINVAL')
    return 'root may not become another user here; start as an ordinary user, or set DB_CONNECTION.'
  if (code === 'ENOENT')
    return 'its program does not run on this system (it needs glibc); set DB_CONNECTION.'
  return undefined
}
