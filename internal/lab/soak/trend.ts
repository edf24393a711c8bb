/**
 * Fits a straight line to samples.
 *
 * Shapes  points in; slope per unit of x and its standard error out, null for fewer than
 *         three points or all at one x.
 * Source  ordinary least squares. Samples that follow each other are not independent, so
 *         the error is a lower bound.
 */
export interface Point {
  readonly x: number
  readonly y: number
}

export interface Trend {
  readonly slope: number
  readonly standardError: number
}

export function trendOf(points: readonly Point[]): Trend | null {
  const count = points.length
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / count
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / count
  const spreadX = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
  if (count < 3 || spreadX === 0) return null
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spreadX
  const residuals = points.reduce(
    (sum, { x, y }) => sum + (y - meanY - slope * (x - meanX)) ** 2,
    0
  )
  return { slope, standardError: Math.sqrt(residuals / (count - 2) / spreadX) }
}
