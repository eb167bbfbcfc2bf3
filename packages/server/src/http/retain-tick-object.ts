/**
 * Keeps one of the objects that `process.nextTick` queues alive.
 *
 * Node makes them by a literal with computed keys, and V8 remembers the shape it saw there weakly: a major collection that
 * finds none alive (one runs while a large model is loaded) makes the literal count as one of many shapes, and every
 * nextTick from then on defines its keys one by one in the runtime, 1.7 of 55 µs of a request. Where Node names these
 * objects otherwise nothing is kept and nothing is lost.
 */
import { createHook } from 'node:async_hooks';

const kept: object[] = [];

/** Keep the shape for as long as the process runs; whether there is one to keep. */
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
