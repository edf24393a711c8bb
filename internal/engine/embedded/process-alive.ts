/** True while process `pid` exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  // Zero and below would ask about whole process groups.
  if (!Number.isInteger(pid) || pid < 1) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
