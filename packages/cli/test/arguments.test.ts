/** Wrong arguments of the command as a library are refused by name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../src/index.ts';

const environment = { stdout: { write: () => true }, stderr: { write: () => true } } as never;

test('run refuses arguments that are no words and an environment without streams', async () => {
  for (const argv of [undefined, null, 'train', 5, {}, [null], [5], new Map(), Symbol('wrong')]) {
    await assert.rejects(run(argv as never, environment), {
      code: 'ERR_OPTION',
      message: /^argv: expected a list of strings, got /,
    });
  }
  for (const wrong of [undefined, null, 'stdout', 5, {}, [], () => 1]) {
    await assert.rejects(run(['--version'], wrong as never), {
      code: 'ERR_OPTION',
      message: /^environment: expected an object with stdout and stderr, got /,
    });
  }
  assert.equal(await run(['--version'], environment), 0);
});
