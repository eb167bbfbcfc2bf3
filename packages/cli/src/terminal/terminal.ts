/**
 * The output of a command: lines, and one line in place for progress where a person watches.
 *
 * Without a terminal (a pipe, CI) progress becomes a plain line now and then, and no control character is ever written.
 * Results go to standard output; progress goes to standard error, so that a pipe gets results only.
 */

/** A writable stream, as much of it as is needed. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

/** The inputs of a command from its shell; it reads nothing else of the process. */
export interface Environment {
  stdout: Output;
  stderr: Output;
  variables: Record<string, string | undefined>;
  /** Milliseconds that only ever grow. */
  now: () => number;
  /** Raised at the first Ctrl-C. */
  signal: AbortSignal;
  /** Asks the person at the terminal; undefined where nobody can be asked. */
  ask?: ((question: string) => Promise<string>) | undefined;
}

/** The line is redrawn at most this often: smooth to the eye, cheap for the machine. */
const REDRAW_INTERVAL_MS = 80;
/** Without a terminal a progress line is written after so long a silence. */
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
    this.#heardNow();
  }

  /** One line of results. */
  line(text = ''): void {
    this.clear();
    this.#heardNow();
    this.#environment.stdout.write(`${text}\n`);
  }

  /** One line for people that is no result: a warning, a hint. */
  note(text: string): void {
    this.clear();
    this.#heardNow();
    this.#environment.stderr.write(`${text}\n`);
  }

  /** Show how far the work is; `share` in [0, 1], undefined where nobody knows. */
  progress(share: number | undefined, text: string): void {
    const now = this.#environment.now();
    if (now - this.#drawnAtMs < (this.#live ? REDRAW_INTERVAL_MS : PLAIN_INTERVAL_MS)) return;
    this.#drawnAtMs = now;
    if (this.#live) {
      // A terminal may say that it has 0 columns.
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

  /** Without a terminal a line of any kind counts as progress: only after a silence does progress have its own. */
  #heardNow(): void {
    if (!this.#live) this.#drawnAtMs = this.#environment.now();
  }

  /** Take the progress line away. */
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
