/**
 * Detects when the process has no file descriptor left. libuv then accepts connections and closes them at once, and
 * neither Node nor the client learns the reason.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** Time between two attempts to open a descriptor; an attempt takes some microseconds. */
const POLL_MS = 250;

/** The functions that a watch calls. */
export interface DescriptorObserver {
  /** Called when no descriptor is left. */
  exhausted: () => void;
  /** Called when there are descriptors again, with the milliseconds for which there were none. */
  recovered: (afterMs: number) => void;
}

/** Watch the descriptors of this process. Returns a function that stops. */
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
