/**
 * Reads the text of `/metrics`.
 *
 * Shapes  text in, one Sample per line out, in the order of the text. A histogram is its
 *         samples: `_bucket` with the label `le`, `_sum` and `_count`.
 * Errors  SyntaxError naming the line that is not in the format.
 * Source  Prometheus text format 0.0.4: `name{label="value"} value [timestamp]`; in a
 *         label's value `\\`, `\"` and `\n` are escapes; lines with # are comments.
 *         Timestamps are checked and left out.
 */
export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y
const LABEL = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(,?)/y
const START_OF_LABELS = /[ \t]*\{/y
const END_OF_LABELS = /[ \t]*\}/y
const VALUE = /[ \t]+(\S+)(?:[ \t]+-?\d+)?[ \t]*$/y
const ESCAPES: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' }

export function readSamples(text: string): readonly Sample[] {
  const samples: Sample[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue
    const sample = readSample(line.trimStart())
    if (sample === null)
      throw new SyntaxError(`line ${index + 1} is not a metric sample: ${line.slice(0, 100)}`)
    samples.push(sample)
  }
  return samples
}

function readSample(line: string): Sample | null {
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(line)
    if (found !== null) at = pattern.lastIndex
    return found
  }
  const name = take(NAME)?.[0]
  if (name === undefined) return null
  const labels: Record<string, string> = {}
  if (take(START_OF_LABELS) !== null) {
    for (let mayFollow = true; mayFollow; ) {
      const label = take(LABEL)
      if (label === null) break
      const [, key = '', text = '', comma] = label
      labels[key] = text.replaceAll(/\\./g, escape => ESCAPES[escape] ?? escape)
      mayFollow = comma === ','
    }
    if (take(END_OF_LABELS) === null) return null
  }
  const value = readValue(take(VALUE)?.[1] ?? '')
  return value === null ? null : { name, labels, value }
}

/** Null if it is not a number. */
function readValue(text: string): number | null {
  const infinity = /^([+-]?)Inf$/i.exec(text)
  if (infinity !== null) return infinity[1] === '-' ? -Infinity : Infinity
  if (/^nan$/i.test(text)) return NaN
  const value = Number(text)
  return text === '' || Number.isNaN(value) ? null : value
}

/** The samples of one name, or only those with the labels asked for. */
export function samplesOf(
  samples: readonly Sample[],
  name: string,
  isMeant: (labels: Labels) => boolean = () => true
): readonly Sample[] {
  return samples.filter(sample => sample.name === name && isMeant(sample.labels))
}

/** A counter's sum over its series; 0 before its first event, when it has none. */
export function sumOfSamples(
  samples: readonly Sample[],
  name: string,
  isMeant?: (labels: Labels) => boolean
): number {
  return samplesOf(samples, name, isMeant).reduce((sum, { value }) => sum + value, 0)
}

/** A gauge: the largest of its series, or null if there is none. */
export function largestSample(samples: readonly Sample[], name: string): number | null {
  const values = samplesOf(samples, name).map(({ value }) => value)
  return values.length === 0 ? null : Math.max(...values)
}

/** A sample's name and labels in the written form. */
export function seriesOf({ name, labels }: Omit<Sample, 'value'>): string {
  const written = Object.entries(labels).map(([key, value]) => `${key}="${escapeValue(value)}"`)
  return written.length === 0 ? name : `${name}{${written.join(',')}}`
}

const escapeValue = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
