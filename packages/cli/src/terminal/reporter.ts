/**
 * One stream of events, two ways to show it. A command only says what happened; `--json` prints each event as one JSON
 * object a line, otherwise a function of the command's own turns it into text.
 */
import type { Environment } from './terminal.ts';
import { Terminal } from './terminal.ts';

/** Something that happened; `event` names it, the other fields are its facts. */
export interface Event {
  event: string;
}

/** Takes events as they happen. */
export type Report<E extends Event> = (event: E) => void;

/**
 * The reporter of a command.
 *
 * @param json one JSON object a line, nothing else
 * @param show how people see an event
 */
export function reporter<E extends Event>(
  environment: Environment,
  json: boolean,
  show: (event: E, terminal: Terminal) => void,
): Report<E> {
  if (json) return (event) => environment.stdout.write(`${JSON.stringify(event)}\n`);
  const terminal = new Terminal(environment);
  return (event) => show(event, terminal);
}
