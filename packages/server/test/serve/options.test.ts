/** Options of the library's server and of its client: unknown names, missing ones and other types are refused by name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { OptionError } from 'shortlist';
import { createClient } from '../../src/client/index.ts';
import { type ServerOptions, ShortlistServer } from '../../src/index.ts';

const model = { name: 'm', path: 'm.shortlist' };
const valid = { models: [], httpPort: 0, grpcPort: null, pollMs: 0, lameDuckMs: 0, logger: pino({ level: 'silent' }) };
const key = { name: 'a', sha256: '0'.repeat(64), role: 'read' as const };

test('options of a server, and those within them, are refused before anything listens', async () => {
  const cases: [options: object, message: RegExp][] = [
    [{ modelz: [] }, /^ShortlistServer.start: expected a known option, nearest is models, got "modelz"$/],
    [{ models: undefined }, /^models: expected a list as an option of ShortlistServer.start, got none$/],
    [{ models: [null] }, /^a model of ShortlistServer.start: expected an object of options, got null$/],
    [{ models: [{ ...model, polices: {} }] }, /nearest is policy, got "polices"$/],
    [{ models: [{ ...model, policy: { last: 1 } }] }, /^policy: expected \{ latest: n \}/],
    [{ models: [{ name: 'm' }] }, /^path: expected a string as an option of a model/],
    [{ processes: '2' }, /^processes: expected a number/],
    [{ requestPerSecond: 2 }, /nearest is requestsPerSecond/],
    [{ limits: { bodyByte: 1 } }, /^limits of .* nearest is bodyBytes/],
    [{ queue: { batchs: 1 } }, /^queue of .* nearest is batch/],
    [{ keys: [{ ...key, rol: 'read' }] }, /^a key of .* nearest is role/],
    [{ tls: { cert: 'a', keys: 'b' } }, /^tls of .* nearest is key/],
    [{ fsync: { everyMS: 3 } }, /^fsync of .* nearest is everyMs/],
    [{ fsync: 'sometimes' }, /^fsync: expected "always" or \{ everyMs \}/],
    [{ journalDamage: 'repair' }, /^journalDamage: expected "replay" or "refuse"/],
    [{ whenLocked: true }, /^whenLocked: expected "serve" or "wait"/],
    [{ corsOrigins: [1] }, /^corsOrigins: expected a list of strings/],
    [{ logger: console.log }, /^logger: expected a logger of pino/],
  ];
  for (const [options, message] of cases) {
    await assert.rejects(ShortlistServer.start({ ...valid, ...options } as unknown as ServerOptions), (error) => {
      assert.ok(error instanceof OptionError);
      assert.match(error.message, message);
      return true;
    });
  }
  await assert.rejects(ShortlistServer.start(null as never), /expected an object of options, got null/);
});

test('options that are known are taken; close refuses what it does not know and can be called again', async () => {
  const server = await ShortlistServer.start({
    ...valid,
    limits: { k: 5 },
    queue: {},
    fsync: { everyMs: 5 },
    keys: [key],
  });
  await assert.rejects(server.close({ lameDuck: 0 } as never), /nearest is lameDuckMs/);
  await server.close();
});

test('options of the client and of its calls are refused before anything is sent', async () => {
  const url = 'http://127.0.0.1:1';
  assert.throws(() => createClient({} as never), /^OptionError.*url: expected a string as an option of createClient/);
  assert.throws(() => createClient({ url, apikey: 'x' } as never), /nearest is apiKey, got "apikey"/);
  assert.throws(() => createClient({ url, retry: 1 } as never), /nearest is retries/);
  const client = createClient({ url, fetch: () => assert.fail('nothing is sent') });
  await assert.rejects(client.delete(['a'], { signals: 1 } as never), /nearest is signal, got "signals"/);
  await assert.rejects(client.shortlist({}, 5 as never), /a call of the client: expected an object of options, got 5/);
});
