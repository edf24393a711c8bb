/**
 * Resolves when the message is in the channel; a primary that is gone counts nothing any
 * more, so there is nothing to wait for.
 */
export function tellPrimary(message: object): Promise<void> {
  return new Promise(resolve => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
}
