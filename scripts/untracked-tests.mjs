// Imported before a test file, this keeps Node's test runner from following every promise to the test that made it.
//
// The runner does so by an async hook, to blame an error that is thrown outside of a test on the right one. The hook
// takes a quarter of the CPU time of tests that await much (test/corruption/bundle: 7.3 s with it, 5.5 s without, on
// Node 20; 6.4 and 3.9 s on Node 24). Without it such an error ends the process, and the file fails with its stack.
// Files with describe() need the hook: through it their tests and hooks find the suite that they are in.
import hooks from 'node:async_hooks';
import { createRequire } from 'node:module';

const { createHook } = hooks;
hooks.createHook = () => {
  const hook = { enable: () => hook, disable: () => hook };
  return hook;
};
createRequire(import.meta.url)('node:test');
hooks.createHook = createHook;

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => {
    console.error(`${event}, outside of a test:`, error);
    process.exit(1);
  });
}
