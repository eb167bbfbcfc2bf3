/**
 * Keeps one of the objects alive that `process.nextTick` queues, so that V8 keeps the fast path that creates them.
 *
 * Node creates these objects with a literal that has computed keys, and V8 holds the hidden class of that literal weakly. A
 * major garbage collection that finds no such object alive (one runs while a large model is loaded) makes the literal
 * megamorphic: every later nextTick then defines its keys one by one in the runtime, 1.7 of 55 µs of a request. Where a
 * version of Node gives these objects another name, nothing is kept and nothing else changes.
 */
import { createHook } from 'node:async_hooks';

const kept: object[] = [];

/** Keep one such object for as long as the process runs; returns false where Node creates none of that name. */
export function retainTickObject(): boolean {
  if (kept.length > 0) return true;
  const hook = createHook({
    init: (_id, type, _trigger, resource) => {
      if (type === 'TickObject') kept.push(resource);
    },
  }).enable();
  process.nextTick(() => undefined);
  hook.disable();
  return kept.length > 0;
}
