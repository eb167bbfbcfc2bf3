/**
 * Wrong arguments from JavaScript: every function, constructor and method of the server and of its client is called with a
 * wrong value in each place. Each throws an error that says what was expected, or gives a result.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { ShortlistError } from 'shortlist';
import * as client from '../src/client/index.ts';
import * as server from '../src/index.ts';

type WrongArguments = typeof import('../../core/test/options/wrong-arguments.ts');
type Call = Parameters<WrongArguments['faultsOf']>[1];

const { faultsOfAll, FIRST, targetsOf } = (await import(
  new URL('../../../core/build/test/options/wrong-arguments.js', import.meta.url).href
)) as WrongArguments;

const url = 'http://127.0.0.1:1';
/** A client whose requests are answered with an empty object. */
const answered = (): client.ShortlistClient => client.createClient({ url, fetch: async () => new Response('{}') });
const running = await server.ShortlistServer.start({
  ...{ models: [], httpPort: 0, grpcPort: null, pollMs: 0, lameDuckMs: 0 },
  logger: pino({ level: 'silent' }),
});

const CALLS: Readonly<Record<string, Call>> = {
  checkPolicy: { arguments: () => [{ latest: 1 }] },
  // The valid call would take the signals of the test's process.
  closeOnSignals: FIRST,
  modelNameOf: { arguments: () => ['movies.shortlist'] },
  'ShortlistServer.start': FIRST,
  'ShortlistServer.close': { of: () => running, arguments: () => [{ lameDuckMs: 0 }] },
  createClient: { arguments: () => [{ url }] },
  ShortlistClient: { arguments: () => [{ url }] },
  'ShortlistClient.shortlist': { of: answered, arguments: () => [{ query: 'u1' }, {}] },
  'ShortlistClient.similar': { of: answered, arguments: () => [{ ids: ['m1'] }, {}] },
  'ShortlistClient.upsert': { of: answered, arguments: () => [[{ id: 'm1', embedding: [1] }], {}] },
  'ShortlistClient.delete': { of: answered, arguments: () => [['m1'], {}] },
  'ShortlistClient.addEvents': { of: answered, arguments: () => [[{ user: 'u1', item: 'm1' }], {}] },
};

const isRefusal = (error: unknown): boolean =>
  (error instanceof ShortlistError || error instanceof server.ServingError) &&
  /: expected .+, got /s.test(error.message);

test('wrong arguments of public functions, constructors and methods are refused by name', async () => {
  const targets = [server, client]
    .flatMap((entry) => targetsOf(entry))
    .filter(({ name }) => name !== 'ShortlistServer');
  assert.deepEqual(await faultsOfAll(targets, CALLS, isRefusal), []);
});

test('requests that JSON cannot hold, and options of a client that no request could use, are refused by name', async () => {
  const refused = (message: RegExp) => ({ code: 'ERR_OPTION', message });
  await assert.rejects(
    answered().delete([10n as never]),
    refused(/^request: expected values that JSON can hold, got /),
  );
  const circular: Record<string, unknown> = {};
  circular.query = circular;
  await assert.rejects(
    answered().shortlist(circular as never),
    refused(/^request: expected values that JSON can hold/),
  );
  for (const wrong of ['127.0.0.1:8501', 'localhost', '', 'ftp://127.0.0.1']) {
    assert.throws(() => client.createClient({ url: wrong }), refused(/^url: expected a URL of http or https/));
  }
  for (const retries of [-1, 1.5, Number.NaN]) {
    assert.throws(() => client.createClient({ url, retries }), refused(/^retries: expected an integer of at least 0/));
  }
});
