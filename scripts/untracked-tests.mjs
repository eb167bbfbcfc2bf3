// Imported before a test file, this keeps Node's test runner from following every promise to the test that made it.
//
// The runner does so by an async hook, to blame an error that is thrown outside of a test on the right one. The hook
// takes a quarter of the CPU time of tests that await much (test/corruption/bundle: 7.3 s with it, 5.5 s without, on
// Node 20; 6.4 and 3.9 s on Node 24). Without it such an error ends the process, and the file fails with its stack.
// Suites and tests themselves, which are few, still enter the table of the hook: by it what describe() calls finds its
// suite.
import hooks from 'node:async_hooks';
import { createRequire } from 'node:module';

const { AsyncResource, createHook } = hooks;
let init;
hooks.createHook = (callbacks) => {
  init ??= callbacks.init;
  const hook = { enable: () => hook, disable: () => hook };
  return hook;
};
hooks.AsyncResource = class extends AsyncResource {
  constructor(type, options) {
    super(type, options);
    init?.(this.asyncId(), type, this.triggerAsyncId(), this);
  }
};
createRequire(import.meta.url)('node:test');
Object.assign(hooks, { AsyncResource, createHook });

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => {
    console.error(`${event}, outside of a test:`, error);
    process.exit(1);
  });
}
