/**
 * The output of a command: lines of text, and on a terminal a progress line that is redrawn in place.
 *
 * Without a terminal, for example in a pipe or in CI, progress is an ordinary line every few seconds, without control
 * characters. Results go to standard output, progress to standard error.
 */

/** The part of a writable stream that commands use. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

/** The parts of the process that a command uses. */
export interface Environment {
  stdout: Output;
  stderr: Output;
  variables: Record<string, string | undefined>;
  /** A clock in milliseconds that never goes back. */
  now: () => number;
  /** Raised at the first Ctrl-C. */
  signal: AbortSignal;
  /** Asks the user a question; undefined without a terminal. */
  ask?: ((question: string) => Promise<string>) | undefined;
}

/** The shortest time between two drawings of the progress line: it looks smooth and costs little. */
const REDRAW_INTERVAL_MS = 80;
/** Without a terminal, a line of progress is written if no other line was written for this long. */
const PLAIN_INTERVAL_MS = 5_000;
/** Cells of a progress bar. */
const BAR_CELLS = 24;

/** Writes lines and one progress line. */
export class Terminal {
  readonly #environment: Environment;
  readonly #live: boolean;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #drawn = false;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#live = environment.stderr.isTTY === true && environment.variables.CI === undefined;
    this.#restartInterval();
  }

  /** Write a line of results to standard output. */
  line(text = ''): void {
    this.clear();
    this.#restartInterval();
    this.#environment.stdout.write(`${text}\n`);
  }

  /** Write a line that is not a result, such as a warning or a hint, to standard error. */
  note(text: string): void {
    this.clear();
    this.#restartInterval();
    this.#environment.stderr.write(`${text}\n`);
  }

  /** Show progress; `share` is the share that is done, in [0, 1], or undefined if it is unknown. */
  progress(share: number | undefined, text: string): void {
    const now = this.#environment.now();
    if (now - this.#drawnAtMs < (this.#live ? REDRAW_INTERVAL_MS : PLAIN_INTERVAL_MS)) return;
    this.#drawnAtMs = now;
    if (this.#live) {
      // Some terminals report 0 columns.
      const width = (this.#environment.stderr.columns || 80) - 1;
      this.#environment.stderr.write(
        `\r\u001b[2K${`${share === undefined ? '' : `${bar(share)} `}${text}`.slice(0, width)}`,
      );
      this.#drawn = true;
    } else {
      this.#environment.stderr.write(
        share === undefined ? `${text} …\n` : `${text}: ${Math.floor(100 * share)} % done\n`,
      );
    }
  }

  /** Called for every line: without a terminal, progress waits for an interval without lines. */
  #restartInterval(): void {
    if (!this.#live) this.#drawnAtMs = this.#environment.now();
  }

  /** Erase the progress line. */
  clear(): void {
    if (this.#drawn) this.#environment.stderr.write('\r\u001b[2K');
    this.#drawn = false;
  }
}

/** A bar of fixed width: `[######······]`. */
export function bar(share: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * BAR_CELLS);
  return `[${'#'.repeat(filled)}${'·'.repeat(BAR_CELLS - filled)}]`;
}
