/** File descriptors that run out: said once when it begins and once when it is over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { ModelRegistry } from '../../src/models/registry.ts';
import { watchDescriptors } from '../../src/observe/descriptor-watch.ts';
import { Metrics } from '../../src/observe/metrics.ts';

test('a shortage is logged and counted once, and its end', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const lines: { msg: string; level: number }[] = [];
  const logger = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
  const metrics = new Metrics(new ModelRegistry());
  let code: string | undefined;
  const stop = watchDescriptors(metrics.descriptorObserver(logger), () => {
    if (code) throw Object.assign(new Error('open'), { code });
  });
  const expected: [number, RegExp][] = [];
  for (const now of [undefined, 'EMFILE', 'EMFILE', undefined, 'EACCES', 'ENFILE', undefined]) {
    code = now;
    t.mock.timers.tick(250);
  }
  for (let shortage = 0; shortage < 2; shortage++) {
    expected.push([50, /no file descriptor is left: connections are dropped/], [40, /file descriptors are free again/]);
  }
  assert.equal(lines.length, expected.length);
  lines.forEach(({ level, msg }, i) => {
    assert.equal(level, expected[i]![0]);
    assert.match(msg, expected[i]![1]);
  });
  assert.match(await metrics.registry.metrics(), /^shortlist_descriptor_shortages_total 2$/m);
  stop();
});
