/**
 * Prints the events of a command. With `--json` each event is printed as one JSON object a line; otherwise a function of the
 * command prints it as text.
 */
import type { Environment } from './terminal.ts';
import { Terminal } from './terminal.ts';

/** An event: its name, and further fields that describe it. */
export interface Event {
  event: string;
}

/** A function that prints an event. */
export type Report<E extends Event> = (event: E) => void;

/**
 * The reporter of a command.
 *
 * @param json true to print one JSON object a line
 * @param show prints an event as text
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
