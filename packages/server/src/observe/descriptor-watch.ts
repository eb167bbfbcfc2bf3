/**
 * Notices when the process has no file descriptor left: connections are then accepted and closed at once by libuv, and
 * neither Node nor the client is told why.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** How often a descriptor is tried to be got: some microseconds each. */
const POLL_MS = 250;

/** What a watch reports. */
export interface DescriptorObserver {
  /** There is no descriptor left. */
  exhausted: () => void;
  /** There are again, after so many milliseconds. */
  recovered: (afterMs: number) => void;
}

/** Watch the descriptors of this process; a function that stops. */
export function watchDescriptors({ exhausted, recovered }: DescriptorObserver, open: () => void = openOne): () => void {
  let since: number | undefined;
  const timer = setInterval(() => {
    const isExhausted = !canOpen(open);
    if (isExhausted && since === undefined) {
      since = performance.now();
      exhausted();
    } else if (!isExhausted && since !== undefined) {
      recovered(performance.now() - since);
      since = undefined;
    }
  }, POLL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function openOne(): void {
  closeSync(openSync(devNull, 'r'));
}

function canOpen(open: () => void): boolean {
  try {
    open();
    return true;
  } catch (error) {
    // EMFILE: none left to this process; ENFILE: none left on the machine.
    return !['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}
