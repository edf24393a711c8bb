import { readFile } from 'node:fs/promises'
import { ExpectedError } from '../../../engine/lifecycle/service.js'

export async function readSchemaFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new ExpectedError(`${file} cannot be read: ${(error as Error).message}`)
  })
}
