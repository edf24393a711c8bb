/**
 * Encodes a list of texts or integers in PostgreSQL's binary format for `text[]` or
 * `int4[]`: less work for both sides than the quoted text form.
 *
 * Shapes  strings or integers (null = SQL NULL) in, one Buffer out; pass it as a query
 *         parameter that is cast to `text[]` or `int4[]`.
 * Errors  StoreError with fault `data` for a lone surrogate: UTF-8 would silently replace
 *         it, and the stored text would differ from the one sent. U+0000 passes here; the
 *         server refuses it (22021).
 * Source  PostgreSQL `array_send`: int32 dimensions, has-nulls flag, element type; per
 *         dimension length and lower bound; per element its byte length (-1 = null) and
 *         its bytes.
 */

import { StoreError } from '../intake/store.js'
import { isWellFormed } from '../message/storable.js'

const TEXT_OID = 25
const INT4_OID = 23
const INT4_BYTES = 4
const HEADER_BYTES = 12
const DIMENSION_BYTES = 8
const LENGTH_BYTES = 4

export function encodeTextArray(values: readonly (string | null)[]): Buffer {
  if (values.length === 0) return header(Buffer.allocUnsafe(HEADER_BYTES), 0, false, TEXT_OID)
  let size = HEADER_BYTES + DIMENSION_BYTES
  let hasNulls = false
  for (const value of values) {
    if (value === null) hasNulls = true
    else if (!isWellFormed(value))
      throw new StoreError(
        'data',
        '22021',
        'a text holds a lone surrogate, which UTF-8 cannot carry'
      )
    size += LENGTH_BYTES + (value === null ? 0 : Buffer.byteLength(value))
  }
  const buffer = oneDimension(
    header(Buffer.allocUnsafe(size), 1, hasNulls, TEXT_OID),
    values.length
  )
  let at = HEADER_BYTES + DIMENSION_BYTES
  for (const value of values) {
    const bytes = value === null ? -1 : buffer.write(value, at + LENGTH_BYTES)
    buffer.writeInt32BE(bytes, at)
    at += LENGTH_BYTES + Math.max(bytes, 0)
  }
  return buffer
}

export function encodeIntArray(values: readonly (number | null)[]): Buffer {
  if (values.length === 0) return header(Buffer.allocUnsafe(HEADER_BYTES), 0, false, INT4_OID)
  let nulls = 0
  for (const value of values) if (value === null) nulls += 1
  const size =
    HEADER_BYTES +
    DIMENSION_BYTES +
    values.length * LENGTH_BYTES +
    (values.length - nulls) * INT4_BYTES
  const buffer = oneDimension(
    header(Buffer.allocUnsafe(size), 1, nulls > 0, INT4_OID),
    values.length
  )
  let at = HEADER_BYTES + DIMENSION_BYTES
  for (const value of values) {
    at = buffer.writeInt32BE(value === null ? -1 : INT4_BYTES, at)
    if (value !== null) at = buffer.writeInt32BE(value, at)
  }
  return buffer
}

function header(buffer: Buffer, dimensions: 0 | 1, hasNulls: boolean, elementOid: number): Buffer {
  buffer.writeInt32BE(dimensions, 0)
  buffer.writeInt32BE(hasNulls ? 1 : 0, 4)
  buffer.writeInt32BE(elementOid, 8)
  return buffer
}

function oneDimension(buffer: Buffer, length: number): Buffer {
  buffer.writeInt32BE(length, HEADER_BYTES)
  buffer.writeInt32BE(1, HEADER_BYTES + 4)
  return buffer
}
