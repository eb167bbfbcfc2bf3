/** The whole server over real sockets, on a bundle from disk, in one process and in several. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createClient, type ShortlistRequestError } from '../../src/client/index.ts';
import { occupy, until } from '../fixtures/occupied.ts';
import { FILMS, fetchUnpooled, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

interface Shortlist {
  version: number;
  results: { id: string; score: number; genre: string; year: number; inStock?: boolean }[];
  tookMs: number;
}

for (const processes of [1, 2]) {
  describe(`${processes} process${processes === 1 ? '' : 'es'}`, async () => {
    const server = await startTiny(await tinyBasePath(), { processes });
    after(() => server.close());
    const url = `http://127.0.0.1:${server.httpPort}`;
    const get = async (path: string): Promise<[number, string]> => {
      const response = await fetchUnpooled(url + path);
      return [response.status, await response.text()];
    };
    const shortlist = async (request: object): Promise<Shortlist> => {
      const { status, body } = await post(server, '/v1/shortlist', request);
      assert.equal(status, 200, JSON.stringify(body));
      return body as Shortlist;
    };

    test('raw features in, identifiers, scores and attributes out', async () => {
      const { version, results, tookMs } = await shortlist({ query: 'u3', k: 3 });
      assert.equal(version, 1);
      assert.equal(results.length, 3);
      assert.ok(tookMs >= 0);
      assert.match(results[0]!.id, /^film\d+$/);
      assert.ok(results[0]!.score >= results[1]!.score);
      assert.equal(results[0]!.year, 1960 + Number(results[0]!.id.slice(4)));
      const predicted = (await post(server, '/v1/models/films:predict', { instances: ['u3'] })).body as {
        predictions: { identifiers: string[] }[];
      };
      assert.deepEqual(
        predicted.predictions[0]!.identifiers.slice(0, 3),
        results.map(({ id }) => id),
      );
    });

    test('filters: k results come back whenever k exist', async () => {
      const all = (await shortlist({ query: 'u1', k: FILMS })).results;
      const expect = (keep: (film: Shortlist['results'][number]) => boolean): string[] =>
        all.filter(keep).map(({ id }) => id);
      const ids = async (filter: object, k = FILMS): Promise<string[]> =>
        (await shortlist({ query: 'u1', k, filter })).results.map(({ id }) => id);
      assert.deepEqual(
        await ids({ equals: { genre: 'drama' } }),
        expect((film) => film.genre === 'drama'),
      );
      assert.equal((await ids({ equals: { genre: 'drama' } }, 20)).length, 20);
      assert.deepEqual(
        await ids({ in: { genre: ['drama', 'horror', 'none'] } }),
        expect((film) => film.genre !== 'comedy'),
      );
      assert.deepEqual(
        await ids({ range: { year: { gte: 1970, lt: 1980 } } }),
        expect((film) => film.year >= 1970 && film.year < 1980),
      );
      assert.deepEqual(
        await ids({ not: { equals: { inStock: true } } }),
        expect((film) => film.inStock !== true),
      );
      assert.deepEqual(
        await ids({
          and: [
            { equals: { genre: 'comedy' } },
            { or: [{ range: { year: { gt: 2010 } } }, { equals: { inStock: true } }] },
          ],
        }),
        expect((film) => film.genre === 'comedy' && (film.year > 2010 || film.inStock === true)),
      );
      assert.deepEqual(await ids({ equals: { year: 1 } }), []);
      const top = all.slice(0, 2).map(({ id }) => id);
      assert.deepEqual((await shortlist({ query: 'u1', k: 1, exclude: [top[0]] })).results[0]!.id, top[1]);
      assert.deepEqual(
        (await shortlist({ query: 'u1', k: 5, include: top })).results.map(({ id }) => id),
        top,
      );
    });

    test('refusals say what was expected', async () => {
      const cases: [object, RegExp][] = [
        [{}, /expected query, history, both, or embedding/],
        [{ query: 'u1', k: 0 }, /k/],
        [{ query: 'u1', k: 100_000 }, /k: expected an integer from 1 to 1000/],
        [{ query: 5 }, /query\.query: expected a string/],
        [{ query: { user: 'u1' } }, /query\.user: unknown feature/],
        [{ embedding: [1] }, /embedding: expected 4 numbers, got 1/],
        [{ query: 'u1', filter: { like: { genre: 'x' } } }, /expected equals, in, range, and, or or not/],
        [{ query: 'u1', filter: { equals: {} } }, /expected an object with one key/],
        [
          { query: 'u1', filter: { range: { year: { from: 1 } } } },
          /expected numbers or dates \(ISO 8601\) under gt, gte, lt or lte/,
        ],
        [{ query: 'u1', nonsense: 1 }, /nonsense|additional/],
        [{ query: 'u1', version: 9 }, /Servable not found for request: Specific\(films, 9\)/],
      ];
      for (const [request, message] of cases) {
        const { status, body } = await post(server, '/v1/shortlist', request);
        const { error, requestId } = body as { error: string; requestId: string };
        assert.ok(status === 400 || status === 404, `${status} for ${JSON.stringify(request)}`);
        assert.match(error, message);
        assert.match(requestId, /^[\w-]+$/);
      }
    });

    test('request ids come back, given or made', async () => {
      const { headers } = await post(server, '/v1/shortlist', { query: 'u1' }, { 'x-request-id': 'mine-1' });
      assert.equal(headers.get('x-request-id'), 'mine-1');
      const other = await post(server, '/v1/shortlist', { query: 'u1' }, { 'x-request-id': 'a b\t' });
      assert.match(other.headers.get('x-request-id')!, /^[0-9a-f]{12}-\d+$/);
    });

    test('health, metadata, metrics, OpenAPI, and 404 with the reason elsewhere', async () => {
      assert.deepEqual(await get('/v2/health/live'), [200, '{"live":true}']);
      assert.deepEqual(await get('/v2/health/ready'), [200, '{"ready":true}']);
      assert.deepEqual(await get('/v2/models/films/ready'), [200, '{"name":"films","ready":true}']);
      const [missing, why] = await get('/nothing');
      assert.equal(missing, 404);
      assert.equal(
        (JSON.parse(why) as { error: string }).error,
        'path: expected one that /openapi.json lists, got GET /nothing',
      );
      const [, metrics] = await get('/metrics');
      assert.match(metrics, /^:tensorflow:serving:request_count\{model_name="films",status="OK"\} \d+$/m);
      assert.match(metrics, /^shortlist_candidates\{model_name="films",version="1"\} 60$/m);
      const document = JSON.parse((await get('/openapi.json'))[1]);
      assert.equal(document.openapi, '3.1.0');
      assert.ok(document.paths['/v1/shortlist'].post.requestBody);
      assert.ok(!Object.keys(document.paths).some((path) => path.includes('*')));
    });

    if (processes === 1)
      test('queries that wait are counted in both queues, the light and the heavy', async () => {
        const { batcher, heavy, servable } = server.registry.choose('films', {});
        for (const [queue, isHeavy] of [
          [batcher, false],
          [heavy, true],
        ] as const) {
          servable.isHeavy = () => isHeavy;
          const release = await occupy(servable, () => shortlist({ query: 'u1' }));
          const waiting = shortlist({ query: 'u2' });
          await until(() => queue.waiting === 1);
          assert.match((await get('/metrics'))[1], /^shortlist_queue_queries\{model_name="films",version="1"\} 1$/m);
          await release();
          await waiting;
        }
        delete (servable as Partial<typeof servable>).isHeavy;
      });

    test('TF Serving’s errors are pretty printed, the inference protocol’s are one line', async () => {
      const refused = await fetchUnpooled(`${url}/v1/models/nobody:predict`, { method: 'POST', body: '{}' });
      assert.equal(refused.status, 404);
      assert.equal(refused.headers.get('content-type'), 'application/json');
      assert.equal(await refused.text(), '{\n    "error": "Servable not found for request: Latest(nobody)"\n}');
      const inference = await fetchUnpooled(`${url}/v2/models/nobody/infer`, {
        method: 'POST',
        body: '{"inputs": []}',
      });
      assert.equal(await inference.text(), '{"error":"Servable not found for request: Latest(nobody)"}');
    });

    test('upserts and deletes are seen by the next query, and counted', async () => {
      const client = createClient<{ genre: string }>({ url, fetch: fetchUnpooled });
      const [best] = (await client.shortlist({ embedding: [10, 0, 0, 0], k: 1 })).results;
      const answer = await client.upsert([{ id: 'new', embedding: [50, 0, 0, 0], attributes: { genre: 'western' } }]);
      assert.deepEqual(answer, { model: 'films', version: 1, acknowledged: 1 });
      const [first, second] = (await client.shortlist({ embedding: [10, 0, 0, 0], k: 2 })).results;
      assert.deepEqual([first!.id, first!.score, first!.genre, second!.id], ['new', 500, 'western', best!.id]);
      const western = await client.shortlist({ query: 'u1', filter: { equals: { genre: 'western' } } });
      assert.deepEqual(
        western.results.map(({ id }) => id),
        ['new'],
      );
      await client.upsert([{ id: best!.id, embedding: [100, 0, 0, 0] }]);
      const replaced = (await client.shortlist({ embedding: [10, 0, 0, 0], k: 1 })).results[0]!;
      assert.deepEqual([replaced.id, replaced.score, replaced.genre], [best!.id, 1000, best!.genre]);
      await client.delete(['new', best!.id, 'nobody']);
      const after = (await client.shortlist({ embedding: [10, 0, 0, 0], k: FILMS })).results.map(({ id }) => id);
      assert.equal(after.length, FILMS - 1);
      assert.ok(!after.includes('new') && !after.includes(best!.id));
      await assert.rejects(client.upsert([{ id: 'x', embedding: [1] }]), (error: ShortlistRequestError) => {
        assert.equal(error.code, 'INVALID_ARGUMENT');
        return true;
      });
      await assert.rejects(client.upsert([{ id: 'x', embedding: [1, 2, 3, 4], attributes: { year: 'late' } }]), /year/);
    });
  });
}
