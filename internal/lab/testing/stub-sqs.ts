/**
 * A client of SQS that is not there: records each command and answers with what the test
 * says.
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

/** `answer` gets the command and how many of its kind were sent before it. */
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
