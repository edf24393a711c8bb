/** The answer of a program on this machine; null without one. */
export async function fetchText(
  url: string
): Promise<{ readonly ok: boolean; readonly text: string } | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
    return { ok: response.ok, text: await response.text() }
  } catch {
    return null
  }
}
