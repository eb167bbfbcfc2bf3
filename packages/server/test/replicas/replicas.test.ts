/**
 * A server of several processes: who answers what, and what becomes of replicas that end. To start a process costs more
 * than to ask it a thousand things: tests share servers where none of them needs a new one, and run in their order.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../fixtures/occupied.ts';
import { FILMS, fetchUnpooled, post, saveTinyBundle, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';
import { isAlive, startWatched } from './watched.ts';

type Server = Awaited<ReturnType<typeof startTiny>>;
const upsert = async (server: Server, ids: readonly string[]): Promise<void> => {
  const candidates = ids.map((id, i) => ({ id, embedding: [i + 1, 0, 0, 0] }));
  const { status, body } = await post(server, '/v1/candidates/upsert', { candidates });
  assert.equal(status, 200, JSON.stringify(body));
};
const idsOf = async (server: Server): Promise<string[]> => {
  const { status, body } = await post(server, '/v1/shortlist', { embedding: [1, 0, 0, 0], k: 1000 });
  assert.equal(status, 200, JSON.stringify(body));
  return (body as { results: { id: string }[] }).results.map(({ id }) => id).sort();
};
const textOf = async (server: Server, path: string): Promise<string> =>
  (await fetchUnpooled(`http://127.0.0.1:${server.httpPort}${path}`)).text();

/** Ask a server of two processes until the next connection is its own, which no replica that is killed can lose. */
async function untilOwnTurn(server: Server): Promise<void> {
  const { statistics } = server.registry.choose('films', {});
  const ask = async (): Promise<number> => {
    await post(server, '/v1/shortlist', { query: 'u1' });
    return statistics.inferences;
  };
  for (let before = statistics.inferences; (await ask()) === before; );
  await ask();
}

/** An answer after which the connection is closed. */
const IS_LAST = /^200 OK\r\n.*\r\nconnection: close\r\n/is;

/** Three processes, whose counts nobody has changed before the first test; the test of a stop that waits stops them. */
const exact = startWatched(await tinyBasePath(), { processes: 3, drainMs: 60_000 });
/** Two processes with an index that has leaves; the test of a stop that does not wait stops them. */
const scann = startWatched(await tinyBasePath({ scann: true }), { drainMs: 100 });
/** Two processes whose log is read; their versions lie in the folder. */
const watchedPath = await tinyBasePath();
const watched = startWatched(watchedPath);
after(async () => {
  for (const started of [exact, scann, watched]) {
    await started.then(
      ({ server }) => server.close(),
      () => undefined,
    );
  }
});

test('connections go to each process in turn, and figures are those of all', async () => {
  const { server } = await exact;
  for (let i = 0; i < 12; i++) assert.equal((await post(server, '/v1/shortlist', { query: 'u1' })).status, 200);
  assert.equal(server.registry.choose('films', {}).statistics.inferences, 4);
  const { model_stats } = JSON.parse(await textOf(server, '/v2/models/films/stats')) as {
    model_stats: { inference_count: number; inference_stats: { success: { count: number } } }[];
  };
  assert.deepEqual([model_stats[0]!.inference_count, model_stats[0]!.inference_stats.success.count], [12, 12]);
  for (let i = 0; i < 6; i++) await post(server, '/v1/models/films:predict', { instances: ['u1'] });
  const metrics = await textOf(server, '/metrics');
  assert.match(metrics, /^:tensorflow:serving:request_count\{model_name="films",status="OK"\} 6$/m);
  assert.match(metrics, /^shortlist_batch_size_sum 18$/m);
  assert.match(metrics, /^shortlist_candidates\{model_name="films",version="1"\} 60$/m);
});

/** One request of each kind: method, path, body. */
const REQUESTS: readonly [string, string, unknown?][] = [
  ['POST', '/v1/models/films:predict', { instances: ['u1', 'u2'] }],
  ['POST', '/v1/models/films/versions/1:predict', { instances: ['u1'] }],
  ['POST', '/v1/models/films/labels/stable:predict', { instances: ['u1'] }],
  ['POST', '/v1/models/films:predict', '{"instances": [nonsense'],
  ['POST', '/v1/models/nobody:predict', { instances: ['u1'] }],
  ['POST', '/v1/models/films:classify', {}],
  ['PUT', '/v1/models/films:predict', {}],
  ['GET', '/v1/models/films'],
  ['GET', '/v1/models/films/metadata'],
  ['GET', '/v1/models/nobody'],
  ['POST', '/v1/shortlist', { query: 'u1', k: 0 }],
  ['GET', '/v1/shortlist'],
  ['POST', '/v2/models/films/infer', { inputs: [{ name: 'query', shape: [1], datatype: 'BYTES', data: ['u1'] }] }],
  ['POST', '/v2/models/nobody/infer', { inputs: [] }],
  ['POST', '/v2/models/films/versions/9/infer', { inputs: [] }],
  ['GET', '/v2'],
  ['GET', '/v2/models/films'],
  ['GET', '/v2/models/films/config'],
  ['GET', '/v2/health/ready'],
  ['POST', '/v2/repository/index', {}],
  ['GET', '/v2/nothing'],
  ['GET', '/admin/models/films'],
  ['PUT', '/admin/models/films/policy', { newest: 1 }],
  ['PUT', '/admin/models/films/labels/next', { version: 7 }],
  ['POST', '/v1/candidates/upsert', { candidates: [{ id: 'x', embedding: [1] }] }],
  ['POST', '/v1/candidates/delete', '{'],
  ['GET', '/openapi.json'],
  ['GET', '/nothing?at=all'],
  ['OPTIONS', '/v1/shortlist'],
  ['HEAD', '/openapi.json'],
  ['HEAD', '/v1/models/films'],
  ['DELETE', '/'],
];

test('every request has the same answer from every process', async () => {
  const { server } = await exact;
  server.registry.models[0]!.setLabel('stable', 1);
  const answerOf = async ([method, path, body]: (typeof REQUESTS)[number]): Promise<object> => {
    const response = await fetchUnpooled(`http://127.0.0.1:${server.httpPort}${path}`, {
      method,
      headers: { 'x-request-id': 'mine', 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const headers = [...response.headers].filter(([name]) => name !== 'date').sort();
    return { status: response.status, headers, text: await response.text() };
  };
  for (const request of REQUESTS) {
    const first = await answerOf(request);
    for (let process = 1; process < 3; process++) {
      assert.deepEqual(await answerOf(request), first, request.join(' '));
    }
  }
});

test('an acknowledged update is seen by the next query, whichever process it reaches', async () => {
  for (const [started, processes] of [
    [exact, 3],
    [scann, 2],
  ] as const) {
    const { server } = await started;
    for (let i = 0; i < 12; i++) {
      await upsert(server, [`n${i}`]);
      for (let process = 0; process < processes; process++) {
        const { body } = await post(server, '/v1/shortlist', { query: 'u1', k: 1, include: [`n${i}`] });
        assert.equal((body as { results: { id: string }[] }).results[0]?.id, `n${i}`);
      }
    }
  }
});

test('a path that resolves to another one is not found, in every process', async () => {
  const { server: open } = await exact;
  for (const path of ['/v1/%2e%2e/admin/models/films', '/v1/../admin/models/films', '/x/..\\admin/models/films']) {
    for (let process = 0; process < 3; process++) {
      const socket = connect(open.httpPort, '127.0.0.1');
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
      const [head] = (await once(socket, 'data')) as [Buffer];
      assert.match(head.toString(), /^HTTP\/1\.1 40[04] /, path);
    }
  }
});

test('what was unloaded is served nowhere, and what is loaded again takes updates everywhere', async () => {
  const { server } = await scann;
  await upsert(server, ['first']);
  assert.equal((await post(server, '/v2/repository/models/films/unload', {})).status, 200);
  for (let process = 0; process < 2; process++) {
    assert.equal((await post(server, '/v1/shortlist', { query: 'u1' })).status, 404);
  }
  assert.equal((await post(server, '/v2/repository/models/films/load', {})).status, 200);
  await upsert(server, ['second']);
  const ids = await idsOf(server);
  assert.ok(ids.includes('first') && ids.includes('second'));
  assert.deepEqual(await idsOf(server), ids);
});

test('a replica that is killed is started anew and has every update; new connections are answered meanwhile', async () => {
  const { server, started, said } = await watched;
  await upsert(server, ['before']);
  const [first] = started();
  process.kill(first!, 'SIGKILL');
  await said('replica ended, its connections are lost');
  let updates = 0;
  let isBack = false;
  const updating = (async () => {
    // No more than a query can return.
    for (; !isBack && updates < 800; updates++) await upsert(server, [`meanwhile${updates}`]);
  })();
  assert.equal((await post(server, '/v1/shortlist', { query: 'u1' })).status, 200);
  await said('a replica serves again');
  isBack = true;
  await updating;
  assert.notEqual(started()[1], first);
  const ids = await idsOf(server);
  assert.equal(ids.length, FILMS + 1 + updates);
  assert.deepEqual(await idsOf(server), ids);
  assert.equal(server.registry.choose('films', {}).version, 1);
});

test('connections on their way to a replica that is killed are ended, not left waiting', async () => {
  const { server, started, said } = await watched;
  const replica = started().at(-1);
  process.kill(replica!, 'SIGSTOP');
  let answered = 0;
  const answers = Array.from({ length: 8 }, () =>
    post(server, '/v1/shortlist', { query: 'u1' }).then(
      ({ status }) => {
        answered++;
        return status;
      },
      () => 'lost',
    ),
  );
  // By turns: when the server has answered its four, three at least have been handed over.
  await until(() => answered === 4);
  process.kill(replica!, 'SIGKILL');
  const lost = (await Promise.all(answers)).filter((status) => status !== 200);
  assert.ok(lost.length >= 3 && lost.every((status) => status === 'lost'), lost.join());
  await said('a replica serves again', 2);
});

test('a replica that is killed while versions change comes back with the one that serves', async () => {
  const { server, started, said } = await watched;
  await upsert(server, ['before']);
  await untilOwnTurn(server);
  const compaction = post(server, '/admin/models/films/compact', {});
  process.kill(started().at(-1)!, 'SIGKILL');
  assert.equal((await compaction).status, 200);
  await upsert(server, ['after']);
  await said('a replica serves again', 3);
  const ids = await idsOf(server);
  assert.ok(ids.includes('before') && ids.includes('after'));
  assert.deepEqual(await idsOf(server), ids);
  for (let process = 0; process < 2; process++) {
    assert.equal(((await post(server, '/v1/shortlist', { query: 'u1' })).body as { version: number }).version, 2);
  }
});

test('a replica does not come back with other files than those that are served', async () => {
  const { server, started, ended } = await watched;
  const ids = await idsOf(server);
  await saveTinyBundle(join(watchedPath, String(server.registry.choose('films', {}).version)), {
    seed: 8,
    prefix: 'other',
  });
  process.kill(started().at(-1)!, 'SIGKILL');
  await until(() => ended().some(({ reason = '' }) => /the files that the server has loaded/.test(reason)));
  for (let i = 0; i < 3; i++) assert.deepEqual(await idsOf(server), ids);
  await server.close();
  assert.ok(started().every((pid) => !isAlive(pid)));
  // However a replica ended, the log has one line for it.
  assert.deepEqual(
    ended()
      .map(({ replica }) => replica)
      .sort(),
    started().sort(),
  );
  const [killed] = ended();
  assert.deepEqual([killed!.reason, killed!.signal], [undefined, 'SIGKILL']);
});

test('a replica lets its server act on signals, which a terminal sends to both', async () => {
  const { server, started, ended } = await exact;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const) process.kill(started()[0]!, signal);
  for (let i = 0; i < 2; i++) assert.equal((await post(server, '/v1/shortlist', { query: 'u1' })).status, 200);
  // Signals are delivered before the answer that comes after them is sent.
  assert.ok(isAlive(started()[0]!));
  assert.deepEqual(ended(), []);
});

test('a stop answers what a replica has begun to read', async () => {
  const { server, started } = await exact;
  const body = '{"instances": ["u1"]}';
  const head = `POST /v1/models/films:predict HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`;
  const begun = Array.from({ length: 3 }, () => {
    const socket = connect(server.httpPort, '127.0.0.1');
    socket.write(`${head}{`);
    /** Ends the request that has begun and begins another: the connection is never idle. */
    const goOn = (): void => void socket.write(`${body.slice(1) + head}{`);
    let all = '';
    const received = new Promise<string[]>((resolve) => {
      const answers: string[] = [];
      socket.setEncoding('utf8').on('close', () => resolve(answers));
      socket
        .on('error', () => undefined)
        .on('data', (chunk: string) => {
          all += chunk;
          const [headers, length] = /^.*?content-length: (\d+).*?\r\n\r\n/is.exec(all) ?? [];
          const end = headers === undefined ? Number.POSITIVE_INFINITY : headers.length + Number(length);
          if (all.length < end) return;
          const answer = all.slice('HTTP/1.1 '.length, end);
          all = all.slice(end);
          answers.push(answer);
          if (!IS_LAST.test(answer)) goOn();
        });
    });
    return { goOn, received };
  });
  // The heads have been read: what comes on these connections later is part of a request under way.
  for (let i = 0; i < 6; i++) await post(server, '/v1/shortlist', { query: 'u1' });
  const closing = server.close();
  for (const { goOn } of begun) goOn();
  for (const { received } of begun) {
    const answers = await received;
    for (const answer of answers) assert.match(answer, /^200 OK\r\n.*predictions/s);
    // A client that goes on asking is told, however long the server's word takes to reach the replica.
    assert.match(answers.at(-1)!, IS_LAST);
  }
  await closing;
  await assert.rejects(post(server, '/v1/shortlist', { query: 'u1' }));
  assert.ok(started().every((pid) => !isAlive(pid)));
});

test('a replica that hangs does not hold a stop up', async () => {
  const { server, started, ended } = await scann;
  process.kill(started()[0]!, 'SIGSTOP');
  await server.close();
  // Not for its silence, which is waited for twenty seconds.
  const lines = ended().filter(({ replica }) => replica === started()[0]);
  assert.deepEqual(
    lines.map(({ reason }) => reason),
    ['it did not drain'],
  );
  assert.ok(!isAlive(started()[0]!));
});

test('replicas end with their server, however it ends', async () => {
  const child = fileURLToPath(new URL('./replicated-child.js', import.meta.url));
  const server = spawn(process.execPath, [child, await tinyBasePath()], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  const replica = Number(line.toString());
  assert.ok(isAlive(replica));
  server.kill('SIGKILL');
  await until(() => !isAlive(replica));
});

test('a rate limit holds for an address, not for each process', async () => {
  const server = await startTiny(await tinyBasePath(), { processes: 2, requestsPerSecond: 20 });
  const began = performance.now();
  const answers = await Promise.all(Array.from({ length: 100 }, () => post(server, '/v1/shortlist', { query: 'u1' })));
  const seconds = Math.ceil((performance.now() - began) / 1000);
  const allowed = answers.filter(({ status }) => status === 200).length;
  assert.ok(allowed >= 20 && allowed <= 20 * (seconds + 1), `${allowed} in ${seconds} s`);
  assert.ok(answers.every(({ status }) => status === 200 || status === 429));
  // However long that took: one process has counted them all.
  const { inferences } = server.registry.choose('films', {}).statistics;
  assert.ok(inferences === 0 || inferences === allowed, `${inferences} of ${allowed}`);
  await server.close();
});

test('how many processes is checked', async () => {
  for (const processes of [0, 1.5, 65]) {
    await assert.rejects(startTiny(await tinyBasePath(), { processes }), { code: 'ERR_OPTION' });
  }
});
