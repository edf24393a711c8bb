/** What `npm start` shows, by system; the programs of other systems are only started. */
import type { Demo, DemoContext } from './demo.js'
import { createEventsDemo } from './events/demo.js'

export const DEMOS: Readonly<Record<string, (context: DemoContext) => Demo>> = {
  events: createEventsDemo
}
