/** Rules over every protocol, with seen items, filters, updates, and through the client: the same results everywhere. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { BruteForce, ScaNN, SeenItems, Tower } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { createClient, type ShortlistRequest } from '../../src/client/index.ts';
import { serviceOf } from '../../src/grpc/definitions.ts';
import type { ShortlistServer } from '../../src/index.ts';
import { post, startTiny } from '../fixtures/tiny-bundle.ts';

const FILMS = 60;
const embedding = [1, 0, 0];
const genresOf = (row: number): string[] | null =>
  row % 10 === 9 ? null : ['drama', 'war', 'comedy'].slice(row < 30 ? 0 : row % 3, row % 2 === 0 ? 2 : 3);
const idOf = (row: number): string => `film${row}`;

/** 60 films, of which film0 has the highest score for the embedding [1, 0, 0], film1 the next, and so on. */
async function basePath(scann: boolean): Promise<string> {
  const path = mkdtempSync(join(tmpdir(), 'shortlist-rules-'));
  mkdirSync(join(path, '1'));
  const rows = Array.from({ length: FILMS }, (_, row) => row);
  const queryTower = Tower.create({ vocabulary: ['u1', 'u2'], dimensions: 3 });
  const index = scann
    ? new ScaNN<string, string>({ queryModel: queryTower, tree: 'always', numLeaves: 4, numLeavesToSearch: 4 })
    : new BruteForce<string, string>({ queryModel: queryTower });
  index.index(
    rows.map((row) => [1 - row / 100, Math.sin(row), Math.cos(row)]),
    rows.map(idOf),
  );
  const seenItems = SeenItems.empty({ excludeSeen: true });
  seenItems.add('u1', ['film1', 'film2']);
  const attributes = {
    genres: rows.map(genresOf),
    decade: rows.map((row) => 1960 + 10 * Math.floor(row / 20)),
    released: rows.map((row) => `20${String(10 + (row % 3)).padStart(2, '0')}-01-01`),
  };
  const metadata = { attributes, attributeKinds: { released: 'date' } };
  await saveBundle(join(path, '1', 'model.shortlist'), { index, seenItems, metadata });
  return path;
}

for (const scann of [false, true]) {
  describe(scann ? 'ScaNN' : 'BruteForce', () => {
    let server: ShortlistServer;
    before(async () => {
      server = await startTiny(await basePath(scann), { grpcPort: 0 });
    });
    after(() => server.close());

    const shortlist = async (request: object): Promise<string[]> => {
      const { status, body } = await post(server, '/v1/shortlist', { embedding, ...request });
      assert.equal(status, 200, JSON.stringify(body));
      return (body as { results: { id: string }[] }).results.map(({ id }) => id);
    };

    test('at most so many of a value, of lists, numbers and dates; k results while k exist', async () => {
      const counts = new Map<string, number>();
      const expected: string[] = [];
      for (let row = 0; row < FILMS && expected.length < 8; row++) {
        const genres = genresOf(row) ?? [];
        if (genres.some((genre) => counts.get(genre) === 2)) continue;
        for (const genre of genres) counts.set(genre, (counts.get(genre) ?? 0) + 1);
        expected.push(idOf(row));
      }
      assert.deepEqual(await shortlist({ k: 8, perValue: { genres: 2 } }), expected);
      // So many leaves make a query heavy: it runs on the worker threads.
      const heavy = scann ? { leavesToSearch: 600 } : {};
      assert.deepEqual(await shortlist({ k: 8, perValue: { genres: 2 }, ...heavy }), expected);
      assert.deepEqual(await shortlist({ k: 9, perValue: { decade: 2 } }), [0, 1, 20, 21, 40, 41].map(idOf));
      assert.deepEqual(await shortlist({ k: 9, perValue: { decade: 1, released: 1 } }), ['film0', 'film20', 'film40']);
      const filter = { range: { decade: { gt: 1960 } } };
      assert.deepEqual(await shortlist({ k: 9, perValue: { decade: 1 }, filter }), ['film20', 'film40']);
    });

    test('pinned, blocked, seen, excluded, a least score', async () => {
      const request = { k: 4, pin: ['film50', 'nobody', 'film1'], block: ['film0'], exclude: ['film3'] };
      assert.deepEqual(await shortlist(request), ['film50', 'film1', 'film2', 'film4']);
      assert.deepEqual(await shortlist({ ...request, user: 'u1' }), ['film50', 'film4', 'film5', 'film6']);
      assert.deepEqual(await shortlist({ k: 9, scoreThreshold: 0.975 }), ['film0', 'film1', 'film2']);
    });

    test('marginal relevance: weight 1 is the order of scores, less is other candidates', async () => {
      assert.deepEqual(await shortlist({ k: 3, mmr: { weight: 1 } }), ['film0', 'film1', 'film2']);
      const diverse = await shortlist({ k: 3, mmr: { weight: 0.3, candidates: 20 } });
      assert.equal(diverse[0], 'film0');
      assert.notDeepEqual(diverse, ['film0', 'film1', 'film2']);
      assert.deepEqual(diverse, await shortlist({ k: 3, mmr: { weight: 0.3, candidates: 20 } }));
    });

    test('the signature query_with_rules: TF Serving over REST and gRPC, Open Inference over REST', async () => {
      const rules = { perValue: { genres: 2 }, pin: ['film50'], mmr: { weight: 0.7 } };
      const request = { query: 'u2', k: 10, ...rules };
      const { body } = await post(server, '/v1/shortlist', request);
      const expected = (body as { results: { id: string }[] }).results.map(({ id }) => id);
      const rest = await post(server, '/v1/models/films:predict', {
        signature_name: 'query_with_rules',
        instances: [
          { query: 'u2', rules: JSON.stringify(rules) },
          { query: 'u2', rules: '' },
        ],
        output_filter: ['identifiers'],
      });
      assert.equal(rest.status, 200, JSON.stringify(rest.body));
      const [ruled, plain] = (rest.body as { predictions: string[][] }).predictions;
      assert.deepEqual(
        ruled!.filter((id) => id !== ''),
        expected,
      );
      assert.notDeepEqual(plain, ruled);
      const inputs = [
        { name: 'query', shape: [1], datatype: 'BYTES', data: ['u2'] },
        { name: 'rules', shape: [1], datatype: 'BYTES', data: [JSON.stringify(rules)] },
      ];
      const inferred = await post(server, '/v2/models/films/infer', { inputs });
      assert.deepEqual((inferred.body as { outputs: { data: unknown[] }[] }).outputs[0]!.data, expected);
      const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
      const { path, requestSerialize, responseDeserialize } = serviceOf('tensorflow.serving.PredictionService')
        .Predict!;
      const text = (value: string): object => ({
        dtype: 7,
        tensor_shape: { dim: [{ size: 1 }] },
        string_val: [Buffer.from(value)],
      });
      const message = {
        model_spec: { name: 'films', signature_name: 'query_with_rules' },
        inputs: { query: text('u2'), rules: text(JSON.stringify(rules)) },
      };
      const answer = await new Promise<{ outputs: { identifiers: { string_val: Buffer[] } } }>((resolve, reject) => {
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, (error, found) => {
          client.close();
          if (error) reject(error);
          else resolve(found as never);
        });
      });
      assert.deepEqual(answer.outputs.identifiers.string_val.map(String), expected);
    });

    test('the client sends rules; an upsert changes what they count', async () => {
      const client = createClient({ url: `http://127.0.0.1:${server.httpPort}` });
      const request: ShortlistRequest = { embedding, k: 3, perValue: { decade: 1 }, attributes: [] };
      const found = async (): Promise<unknown[]> => (await client.shortlist(request)).results.map(({ id }) => id);
      assert.deepEqual(await found(), ['film0', 'film20', 'film40']);
      await client.upsert([{ id: 'film1', embedding: [0.99, 0, 0], attributes: { decade: 1990 } }]);
      assert.deepEqual(await found(), ['film0', 'film1', 'film20']);
      await client.upsert([{ id: 'film1', embedding: [0.99, 0, 0], attributes: { decade: null } }]);
      await client.upsert([{ id: 'film2', embedding: [0.98, 0, 0], attributes: { decade: null } }]);
      assert.deepEqual(await found(), ['film0', 'film1', 'film2']);
    });

    test('what is wrong is refused, with its place and the nearest name, over plain JSON and in the tensor', async () => {
      const known = "Known: 'genres', 'decade', 'released'";
      const cases: [object, string][] = [
        [{ perValue: { genre: 3 } }, `perValue.genre: unknown attribute, did you mean 'genres'? ${known}`],
        [{ mmr: { weight: 0.5, candidates: 5000 } }, 'mmr.candidates: expected an integer from 1 to 1000, got 5000'],
        [{ pin: [1.5] }, ''],
        [{ pin: ['a\ud800'] }, 'pin[0]: expected Unicode text, got "a\\ud800"'],
        [{ perValue: { genres: 0 } }, ''],
        [{ mmr: { weight: 2 } }, ''],
        [{ scoreThreshold: 'high' }, ''],
      ];
      for (const [rules, message] of cases) {
        const { status, body } = await post(server, '/v1/shortlist', { embedding, ...rules });
        assert.equal(status, 400, JSON.stringify([rules, body]));
        if (message !== '') assert.equal((body as { error: string }).error, message);
        const predicted = await post(server, '/v1/models/films:predict', {
          signature_name: 'query_with_rules',
          instances: [{ query: 'u2', rules: JSON.stringify(rules) }],
        });
        assert.equal(predicted.status, 400, JSON.stringify([rules, predicted.body]));
        if (message !== '') assert.equal((predicted.body as { error: string }).error, message);
      }
      const { body } = await post(server, '/v1/shortlist', { embedding, perValues: {} });
      assert.match((body as { error: string }).error, /unknown field 'perValues', did you mean 'perValue'\?/);
      for (const [rules, message] of [
        ['{', 'rules: expected JSON, got "{"'],
        ['[]', 'rules: expected a JSON object'],
        ['{"blocked": []}', "rules.blocked: unknown name, did you mean 'block'? Known: "],
      ] as const) {
        const predicted = await post(server, '/v1/models/films:predict', {
          signature_name: 'query_with_rules',
          instances: [{ query: 'u2', rules }],
        });
        assert.ok((predicted.body as { error: string }).error.startsWith(message), JSON.stringify(predicted.body));
      }
    });
  });
}
