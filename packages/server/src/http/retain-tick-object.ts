/**
 * Keeps alive one of the objects that `process.nextTick` queues, so that V8 keeps its fast path for creating them.
 *
 * Node creates these objects with a literal that has computed keys, and V8 holds the hidden class of that literal
 * weakly. A major garbage collection, such as one while a large model is loaded, that finds no such object alive makes
 * the literal megamorphic: every later nextTick then defines its keys one by one in the runtime, which takes 1.7 of the
 * 55 µs of a request. If a version of Node gives these objects another name, no object is kept, and nothing else
 * changes.
 */
import { createHook } from 'node:async_hooks';

const kept: object[] = [];

/** Keep one such object for as long as the process runs. Returns false if Node creates none of that name. */
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
