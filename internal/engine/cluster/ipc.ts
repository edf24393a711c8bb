/**
 * Sends a message to the primary; resolves when it is in the channel, or at once if the
 * primary is gone: then nobody counts any more.
 */
export function tellPrimary(message: object): Promise<void> {
  return new Promise(resolve => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
}
