/**
 * Commands of the SDK as this transport sees them, and a way to let the SDK take one over
 * after its first attempt.
 *
 * Source  the SDK's own interface for this: middleware of one command, in the step next
 *         to the network (`deserialize`, low priority).
 */
import type { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { type Fields, isFields } from './hot-calls.js'
import type { HttpReply } from './http-pool.js'

/** The part of an SDK command that is used here. */
export interface SdkCommand {
  readonly input: Fields
  readonly constructor: unknown
}

export type FirstAttempt = { readonly reply: HttpReply } | { readonly error: unknown }

export const isSdkCommand = (value: unknown): value is SdkCommand =>
  isFields(value) && isFields(value['input'])

/** The same command, with its first attempt over already and `first` as the outcome. */
export function resume(command: SdkCommand, first: FirstAttempt): unknown {
  // Any of the commands will do for the types: the network's step is the same for all.
  const resumed = new (command.constructor as new (input: Fields) => ReceiveMessageCommand)(
    command.input
  )
  let isFirst = true
  resumed.middlewareStack.add(
    next => args => {
      if (!isFirst) return next(args)
      isFirst = false
      if ('error' in first) return Promise.reject(asError(first.error))
      const { status: statusCode, headers, body } = first.reply
      return Promise.resolve({ response: { statusCode, headers, body } } as never)
    },
    { step: 'deserialize', priority: 'low', name: 'firstAttempt' }
  )
  return resumed
}

/**
 * `intercept` gets the request that the SDK would send for `command`; `command` then gets
 * an empty answer.
 */
export function interceptRequest(
  command: ReceiveMessageCommand,
  intercept: (request: Fields) => void
): void {
  command.middlewareStack.add(
    () =>
      ({ request }) => {
        if (isFields(request)) intercept(request)
        return Promise.resolve({
          response: { statusCode: 200, headers: {}, body: Buffer.from('{}') }
        } as never)
      },
    { step: 'deserialize', priority: 'low', name: 'interceptRequest' }
  )
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error))
