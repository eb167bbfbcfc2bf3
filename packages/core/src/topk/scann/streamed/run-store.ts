/**
 * The store in which a build that streams keeps its runs: byte strings by name, to which bytes are appended. `fileRuns`
 * of `shortlist/node` keeps them in a folder, so that a build that was killed can continue; `memoryRuns` keeps them in
 * memory.
 */

import { StateError } from '../../../errors/errors.ts';

/** Runs by name. */
export interface RunStore {
  /** Bytes of a run; 0 where there is none. */
  sizeOf(name: string): Promise<number>;
  /** Add bytes at the end of a run. */
  append(name: string, bytes: Uint8Array): Promise<void>;
  /** Cut a run to its first `sizeBytes` bytes. */
  truncate(name: string, sizeBytes: number): Promise<void>;
  /** Fill `to` with the bytes of a run from `offset` on. @throws when the run ends before */
  read(name: string, offset: number, to: Uint8Array): Promise<void>;
  /**
   * Replace a run as a whole: after a crash it is the old one or the new one. All bytes that were appended to other runs
   * before are kept safely first.
   */
  replace(name: string, bytes: Uint8Array): Promise<void>;
  /** Remove all runs. */
  clear(): Promise<void>;
  /**
   * Take the runs for one build; the result gives them back.
   *
   * @throws {StateError} while another build has them
   */
  lock(): Promise<() => Promise<void>>;
}

/** Runs in memory, which are lost when the process ends. */
export function memoryRuns(): RunStore {
  const runs = new Map<string, Uint8Array[]>();
  let isLocked = false;
  const whole = (name: string): Uint8Array => {
    const pieces = runs.get(name) ?? [];
    const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    runs.set(name, [all]);
    return all;
  };
  return {
    sizeOf: async (name) => whole(name).length,
    async append(name, bytes) {
      const pieces = runs.get(name);
      if (pieces) pieces.push(bytes.slice());
      else runs.set(name, [bytes.slice()]);
    },
    async truncate(name, sizeBytes) {
      runs.set(name, [whole(name).slice(0, sizeBytes)]);
    },
    async read(name, offset, to) {
      to.set(whole(name).subarray(offset, offset + to.length));
    },
    async replace(name, bytes) {
      runs.set(name, [bytes.slice()]);
    },
    clear: async () => runs.clear(),
    async lock() {
      if (isLocked) throw new StateError('runs: expected no other build with these runs, got one that is under way');
      isLocked = true;
      return async () => {
        isLocked = false;
      };
    },
  };
}
