/** Seen items: compared with a plain model, in every order of changes and saves, with identifiers of every kind. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { readMovieLensFolder } from '../../src/data/movielens-folder.ts';
import { FormatError, IdentifierError, OptionError } from '../../src/errors/errors.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { SeenItems } from '../../src/seen/seen-items.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { Identifier } from '../../src/topk/contract.ts';
import { LONG_LIST } from '../../src/topk/long-lists.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { IDENTIFIERS, TITLES, USERS, vectors, world } from '../bundle/worlds.ts';
import { interactionsFrom } from '../recommenders/worlds.ts';
import { PlainSeen } from './plain-model.ts';

const runtime = new Runtime({ threads: 1 });

/** Names that objects have already, and text beyond ASCII and beyond Unicode. */
const NAMES = ['toString', '__proto__', 'constructor', '', '42', '-7', 'Zoë 🎬', '\ud800', 'hasOwnProperty', 'z'];
const [user, item] = [fc.constantFrom(...NAMES), fc.constantFrom(...NAMES, ...TITLES)];

/** Save in a bundle and load again. */
async function reloaded<I extends Identifier>(
  seenItems: SeenItems<I>,
  identifiers?: readonly I[],
): Promise<SeenItems<I>> {
  const index = new BruteForce<never, I>({ runtime });
  index.index(vectors(2, 4, 1, runtime), identifiers);
  const bytes = bundleToBytes({ index, seenItems });
  const bundle = await bundleFromBytes<never, I>(bytes, { runtime });
  assert.deepEqual(bundleToBytes(bundle), bytes, 'saved again it is the same file');
  return bundle.seenItems!;
}

test('any changes and saves: what each user has seen is that of a plain model', async () => {
  const change = fc.oneof(
    { weight: 6, arbitrary: fc.record({ user, items: fc.array(item, { maxLength: 8 }) }) },
    { weight: 1, arbitrary: fc.constant('reload' as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(user, item), { maxLength: 60 }), fc.array(change), async (pairs, changes) => {
      let seen = SeenItems.fromInteractions(interactionsFrom(pairs));
      const plain = new PlainSeen<string>();
      for (const [user, item] of pairs) plain.add(user, [item]);
      for (const one of [...changes, 'reload' as const]) {
        if (one === 'reload') seen = await reloaded(seen, ['a', 'b']);
        else {
          const before = new Set(plain.itemsOf(one.user));
          const fresh = new Set(one.items.filter((item) => !before.has(item))).size;
          assert.equal(seen.add(one.user, one.items), fresh);
          plain.add(one.user, one.items);
        }
        for (const user of NAMES) assert.deepEqual(seen.itemsOf(user), plain.itemsOf(user));
        assert.deepEqual([seen.userCount, seen.pairCount], [plain.users.length, plain.pairCount]);
        assert.ok(seen.listBytes <= 4 * plain.users.length + 41 * plain.pairCount);
        const again = SeenItems.fromInteractions(seen.toInteractions());
        for (const user of NAMES) assert.deepEqual(again.itemsOf(user), plain.itemsOf(user), 'as interactions');
      }
    }),
    { numRuns: 60 },
  );
});

test('an integer and the text of its digits are one user; a number that no integer is exact for is refused', () => {
  const seen = SeenItems.empty();
  seen.add(42, ['a']);
  seen.add(42n, ['b']);
  seen.add('42', ['c']);
  seen.add(2n ** 63n - 1n, ['d']);
  assert.deepEqual([seen.itemsOf(42), seen.itemsOf('42'), seen.userCount], [['a', 'b', 'c'], ['a', 'b', 'c'], 2]);
  assert.deepEqual(seen.itemsOf('9223372036854775807'), ['d']);
  assert.deepEqual(seen.itemsOf('042'), []);
  for (const user of [0.5, Number.NaN, 2 ** 53, undefined, null, {}]) {
    assert.throws(() => seen.itemsOf(user as never), IdentifierError);
    assert.throws(() => seen.add(user as never, ['x']), IdentifierError);
  }
});

test('the user of a query is its only value, or that of the feature that names the user', () => {
  const seen = SeenItems.empty({ userFeature: 'toString' });
  const users: unknown[] = [
    '42',
    { toString: '42', place: 'Oslo' },
    { place: '42' },
    { user: '42', place: 'Oslo' },
    {},
    ['42'],
    42,
  ];
  assert.deepEqual(
    users.map((features) => seen.userOf(features)),
    ['42', '42', '42', undefined, undefined, undefined, undefined],
  );
});

test('items of another type are refused and nothing changes', () => {
  const seen = SeenItems.empty<Identifier>({ itemType: 'bigint' });
  assert.throws(() => seen.add('u', [1n, 2 as never]), IdentifierError);
  assert.throws(() => seen.add('u', ['1']), IdentifierError);
  assert.deepEqual([seen.userCount, seen.itemCount, seen.pairCount], [0, 0, 0]);
});

for (const [kind, identifiers] of Object.entries(IDENTIFIERS)) {
  test(`identifiers of the index that are ${kind}: seen items come back, with items that are no candidates`, async () => {
    const all: readonly Identifier[] = identifiers ?? TITLES.map((_, row) => row);
    const itemType = typeof all[0] as 'string' | 'number' | 'bigint';
    const later = { string: 'later', number: 0.25, bigint: -3n }[itemType];
    const seenItems = SeenItems.empty<Identifier>({ itemType });
    seenItems.add('7', [...all.slice(3, 9), later]);
    const contents = world(runtime, { identifiers });
    const bundle = await bundleFromBytes(bundleToBytes({ ...contents, seenItems }), { runtime });
    assert.deepEqual(bundle.seenItems!.itemsOf(7), [...all.slice(3, 9), later]);
    // A bundle without users is one, too.
    const nobody = SeenItems.empty<Identifier>({ itemType });
    const empty = await bundleFromBytes(bundleToBytes({ ...contents, seenItems: nobody }), { runtime });
    empty.seenItems!.add('new', [later]);
    assert.deepEqual(empty.seenItems!.itemsOf('new'), [later]);
  });
}

test('the type of items is that of the identifiers of the index', async () => {
  const seenItems = SeenItems.empty<Identifier>({ itemType: 'number' });
  assert.throws(() => bundleToBytes({ ...world(runtime), seenItems }), OptionError);
  const numbers = SeenItems.fromInteractions(interactionsFrom([['u', '7']]), { identifierOf: Number });
  assert.deepEqual([numbers.itemType, numbers.itemsOf('u')], ['number', [7]]);
  assert.throws(
    () => SeenItems.fromInteractions(interactionsFrom([['u', 'x']]), { identifierOf: Number }),
    IdentifierError,
  );
});

test('how a server uses it comes back; a bundle without it has none', async () => {
  const use = { excludeSeen: false, userFeature: 'user', seenAsHistory: 'always' } as const;
  const { excludeSeen, userFeature, seenAsHistory } = await reloaded(SeenItems.empty(use), ['a', 'b']);
  assert.deepEqual({ excludeSeen, userFeature, seenAsHistory }, use);
  const plain = await reloaded(SeenItems.empty(), ['a', 'b']);
  assert.deepEqual([plain.excludeSeen, plain.userFeature, plain.seenAsHistory], [true, undefined, 'unknown-users']);
  assert.equal((await bundleFromBytes(bundleToBytes(world(runtime)), { runtime })).seenItems, undefined);
});

for (const Index of [BruteForce, ScaNN]) {
  test(`${Index.name}: k results while k are unseen, also where seen items were deleted or never were candidates`, () => {
    const index = new Index<string, string>({ queryModel: world(runtime).queryTower, runtime, k: 5 });
    index.index(vectors(TITLES.length, 8, 3, runtime), [...TITLES]);
    const seen = SeenItems.empty();
    seen.add('1', [...TITLES.slice(0, 30), 'never a candidate']);
    seen.add('2', TITLES.slice(0, 38));
    index.delete([TITLES[3]!, TITLES[39]!]);
    const users = [...USERS.slice(0, 2), 'unknown'];
    const result = index.call(users, { k: 9, exclude: seen.exclusions(users) });
    const found = users.map((_, row) => result.identifiers(row));
    assert.deepEqual(new Set(found[0]), new Set(TITLES.slice(30, 39)));
    assert.deepEqual(found[1], [TITLES[38]]);
    assert.equal(found[2]!.length, 9);
    // One that comes back is still seen.
    index.upsert([TITLES[3]!], new Matrix(1, 8, runtime));
    assert.ok(
      !index
        .call(['1'], { k: 40, exclude: seen.exclusions(['1']) })
        .identifiers()
        .includes(TITLES[3]!),
    );
  });
}

for (const Index of [BruteForce, ScaNN]) {
  test(`${Index.name}: who has seen many items gets others, also of items seen and candidates added since`, () => {
    const names = Array.from({ length: 2 * LONG_LIST }, (_, i) => `i${i}`);
    const index = new Index<string, string>({ queryModel: world(runtime).queryTower, runtime, k: 5 });
    index.index(vectors(names.length, 8, 3, runtime), names);
    const seen = SeenItems.empty();
    seen.add('1', names.slice(0, LONG_LIST));
    const unseen = (): Set<string> => {
      const items = new Set(seen.itemsOf('1'));
      return new Set(names.filter((name) => !items.has(name)));
    };
    const found = (): Set<string> => {
      const exclude = seen.exclusions(['1']);
      return new Set(index.call(['1'], { k: 3 * LONG_LIST, exclude }).identifiers());
    };
    assert.deepEqual(found(), unseen());
    assert.equal(seen.exclusions(['1'])[0], seen.exclusions(['1'])[0], 'the same list at every call');
    seen.add('1', [names[LONG_LIST]!, names[0]!, 'later']);
    assert.deepEqual(found(), unseen());
    // A candidate that was seen before it was added.
    index.upsert(['later', 'latest'], vectors(2, 8, 9, runtime));
    names.push('later', 'latest');
    assert.deepEqual(found(), unseen());
    seen.add('1', names.slice(LONG_LIST, -1));
    assert.deepEqual(found(), new Set(['latest']));
    seen.add('1', ['latest']);
    assert.deepEqual(found(), new Set());
    // More items at once than a call takes arguments.
    seen.add(
      '1',
      Array.from({ length: 200_000 }, (_, i) => `other ${i}`),
    );
    assert.equal(seen.exclusions(['1'])[0]!.length, seen.itemsOf('1').length);
  });
}

test('codes of one to five bytes', async () => {
  // 20,000 items: a user of each has codes of one, two and three bytes.
  const items = Array.from({ length: 20_000 }, (_, i) => `i${i}`);
  const seen = SeenItems.empty();
  seen.add('all', items);
  seen.add('few', [items[127]!, items[128]!, items[16_383]!, items[16_384]!]);
  const loaded = await reloaded(seen, ['a', 'b']);
  assert.deepEqual(loaded.itemsOf('all'), items);
  assert.deepEqual(loaded.itemsOf('few'), [items[127], items[128], items[16_383], items[16_384]]);
  const lists = loaded.save().sections.find(({ name }) => name === 'lists')!;
  const sizeBytes = [lists.bytes].flat().reduce((sum, { length }) => sum + length, 0);
  assert.equal(sizeBytes, 128 + 2 * (16_384 - 128) + 3 * (20_000 - 16_384) + 1 + 2 + 2 + 3);
});

test('lists are refused that are unfinished, too large, or not as many as the settings say', async () => {
  const seenItems = SeenItems.empty();
  seenItems.add('u', ['a', 'b']);
  const save = seenItems.save.bind(seenItems);
  const forge = (name: string, bytes: Uint8Array): Promise<unknown> => {
    seenItems.save = () => {
      const saved = save();
      return { ...saved, sections: saved.sections.map((one) => (one.name === name ? { name, bytes } : one)) };
    };
    return bundleFromBytes(bundleToBytes({ ...world(runtime), seenItems }), { runtime });
  };
  await forge('lists', Uint8Array.of(1, 0));
  for (const lists of [[1, 2], [1, 128], [128, 128], [0], [0, 1, 0]]) {
    await assert.rejects(forge('lists', Uint8Array.from(lists)), FormatError, `${lists}`);
  }
  for (const end of [0, 1, 3, 2 ** 32 - 1]) {
    await assert.rejects(forge('ends', new Uint8Array(Uint32Array.of(end).buffer)), FormatError, `${end}`);
  }
});

const DATA = process.env.SHORTLIST_DATA;
test('movielens-100k: bytes of a pair', { skip: DATA ? false : 'SHORTLIST_DATA is not set' }, async () => {
  const { interactions } = await readMovieLensFolder(join(DATA!, 'movielens-100k'));
  const { userIds, titles, timestamps } = interactions;
  const pairs = userIds.map((user, row): [string, string] => [user, titles[row]!]);
  const seen = SeenItems.fromInteractions(interactionsFrom(pairs, [...timestamps]));
  assert.equal(seen.pairCount, 99_693);
  // 2.20, of which the lists are 1.64 and the names of films and users the rest.
  assert.ok(seen.sizeBytes / seen.pairCount < 2.3, `${seen.sizeBytes / seen.pairCount}`);
});
