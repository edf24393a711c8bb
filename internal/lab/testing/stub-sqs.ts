/**
 * An SQS client without a server: it records each command and answers as the test says.
 */
import type { SqsSender } from '../../engine/queue/sqs/call.js'

export interface SentCommand {
  /** E.g. `ReceiveMessageCommand`. */
  readonly name: string
  readonly input: Record<string, unknown>
  readonly signal: AbortSignal
}

export interface StubSqs {
  readonly sqs: SqsSender
  readonly sent: readonly SentCommand[]
  /** The commands of one kind. */
  of(name: string): readonly SentCommand[]
}

/** `answer` gets the command and the number of earlier commands of its kind. */
export function createStubSqs(answer: (command: SentCommand, before: number) => unknown): StubSqs {
  const sent: SentCommand[] = []
  const of = (name: string) => sent.filter(command => command.name === name)
  const send = async (
    command: { constructor: { name: string }; input: Record<string, unknown> },
    options: { abortSignal: AbortSignal }
  ) => {
    const record = {
      name: command.constructor.name,
      input: command.input,
      signal: options.abortSignal
    }
    const before = of(record.name).length
    sent.push(record)
    return answer(record, before)
  }
  return { sqs: { send } as unknown as SqsSender, sent, of }
}
