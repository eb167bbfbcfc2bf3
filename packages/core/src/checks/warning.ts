/** Warnings: one line that says what was cut, guessed or left out while the work continues. */

/** Takes a warning of one line. */
export type OnWarning = (message: string) => void;

/** The default receiver of warnings: standard error in Node, the console in a browser. */
export const warnOnConsole: OnWarning = (message) => console.warn(`shortlist: ${message}`);
