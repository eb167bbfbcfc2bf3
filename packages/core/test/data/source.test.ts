/** The order of the sources, the line for each, and damaged sources. No request leaves the loopback address. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { arePublished, MOVIELENS_100K_ARCHIVE } from '../../src/data/movielens-archive.ts';
import { movieLensCacheFolder } from '../../src/data/movielens-cache.ts';
import { readMovieLensFiles } from '../../src/data/movielens-folder.ts';
import { loadMovieLens, type MovieLensSourceOptions } from '../../src/data/source.ts';
import { syntheticMovieLens } from '../../src/data/synthetic.ts';
import { archiveOf, filesOf, sendFile, serve } from './archives.ts';

const DATA = process.env.SHORTLIST_DATA;
const skip = DATA === undefined && 'SHORTLIST_DATA is not set';
const root = mkdtempSync(join(tmpdir(), 'shortlist-'));
after(() => rmSync(root, { recursive: true }));

const world = syntheticMovieLens({ seed: 7 });
const files = filesOf(world);

/** A new folder that holds the world's three files. */
function folderOf(path: string, ratings: Uint8Array = files.ratings): string {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'u.data'), ratings);
  writeFileSync(join(path, 'u.item'), files.movies);
  writeFileSync(join(path, 'u.user'), files.users);
  return path;
}

/** A system of its own: nothing in the environment, an empty home, and a publisher on the loopback address. */
async function publisher(): Promise<{
  system: MovieLensSourceOptions;
  requests: string[];
  cache: string;
  close(): void;
}> {
  const home = mkdtempSync(join(root, 'home-'));
  const server = await serve((request, response) => sendFile(zip, request, response));
  const { archive, zip } = archiveOf(files, server.url);
  const system = { env: {}, platform: 'linux', home, archive } as const;
  return { system, requests: server.ranges, cache: movieLensCacheFolder(system), close: server.close };
}

test('synthetic data written as files is parsed back unchanged', async () => {
  const folder = folderOf(join(root, 'plain'));
  const { data, source, line } = await loadMovieLens({ folder });
  assert.deepEqual(data, world);
  assert.deepEqual([source, line], ['folder', `MovieLens-100K from ${folder}`]);
});

test('a folder that was asked for and is missing or damaged is an error, whatever else there is', async () => {
  const { system, requests, close } = await publisher();
  await assert.rejects(loadMovieLens({ ...system, folder: join(root, 'nowhere') }), { code: 'ERR_IO' });
  const folder = folderOf(join(root, 'damaged'), files.ratings.subarray(0, 1_000));
  await assert.rejects(loadMovieLens({ ...system, folder }), { code: 'ERR_DATA', message: /^u\.data, line \d+: / });
  const env = { SHORTLIST_DATA: join(root, 'shared-damaged') };
  folderOf(join(env.SHORTLIST_DATA, 'movielens-100k'), files.ratings.subarray(0, 1_000));
  await assert.rejects(loadMovieLens({ ...system, env }), { code: 'ERR_DATA' });
  assert.deepEqual(requests, []);
  close();
});

test('$SHORTLIST_DATA comes before the cache; where it lacks the folder the search goes on', async () => {
  const { system, requests, close } = await publisher();
  const env = { SHORTLIST_DATA: join(root, 'shared') };
  const folder = folderOf(join(env.SHORTLIST_DATA, 'movielens-100k'));
  const { source, line } = await loadMovieLens({ ...system, env });
  assert.deepEqual([source, line], ['environment', `MovieLens-100K from ${folder} ($SHORTLIST_DATA)`]);
  assert.deepEqual(requests, []);
  const without = await loadMovieLens({ ...system, env: { SHORTLIST_DATA: root } });
  assert.equal(without.source, 'download');
  close();
});

test('a download fills the cache, and the cache saves the next one', async () => {
  const { system, requests, cache, close } = await publisher();
  let received = 0;
  const first = await loadMovieLens({ ...system, onProgress: ({ receivedBytes }) => (received = receivedBytes) });
  assert.deepEqual(
    [first.source, first.line],
    ['download', `MovieLens-100K, downloaded from ${system.archive!.url} to ${cache}`],
  );
  assert.deepEqual(first.data, world);
  assert.equal(received, system.archive!.sizeBytes);
  assert.deepEqual(readdirSync(cache).sort(), ['u.data', 'u.item', 'u.user'], 'the three files and nothing else');
  assert.deepEqual(readdirSync(system.home!), ['.cache'], 'nothing outside the cache');
  const second = await loadMovieLens({ ...system, env: { SHORTLIST_OFFLINE: '1' } });
  assert.deepEqual([second.source, second.line], ['cache', `MovieLens-100K from ${cache} (cache)`]);
  assert.deepEqual(second.data, world);
  assert.equal(requests.length, 1);
  writeFileSync(join(cache, 'u.data'), 'cut');
  assert.equal((await loadMovieLens(system)).source, 'download', 'an altered copy is fetched anew');
  assert.ok(readFileSync(join(cache, 'u.data')).equals(files.ratings));
  close();
});

test('where nothing can be downloaded the world is synthetic, and the line says why', async () => {
  const { system, cache, close } = await publisher();
  close();
  const { data, source, line } = await loadMovieLens({ ...system, seed: 7 });
  assert.equal(source, 'synthetic');
  assert.equal(
    line,
    `synthetic data of the shape of MovieLens-100K, seed 7 (${system.archive!.url}: expected an answer, got ECONNREFUSED)`,
  );
  assert.deepEqual(data, world);
  const offline = await loadMovieLens({ ...system, env: { SHORTLIST_OFFLINE: '1' } });
  assert.equal(offline.line, 'synthetic data of the shape of MovieLens-100K, seed 42 (SHORTLIST_OFFLINE is set)');
  rmSync(cache, { recursive: true, force: true });
  writeFileSync(join(system.home!, 'file'), '');
  const blocked = await loadMovieLens({ ...system, home: join(system.home!, 'file') });
  assert.match(blocked.line, /^synthetic data .* \(.*cannot be written: .*E/);
});

test('an archive that is not the published one is refused, and leaves nothing behind', async () => {
  const { system, cache, close } = await publisher();
  const { archive } = system;
  const wrong = { ...archive!, sha256: '0'.repeat(64) };
  assert.match((await loadMovieLens({ ...system, archive: wrong })).line, /^synthetic .*expected sha256 0{64}, got/);
  const other = {
    ...archive!,
    files: { ...archive!.files, users: { ...archive!.files.users, sha256: '0'.repeat(64) } },
  };
  assert.match(
    (await loadMovieLens({ ...system, archive: other })).line,
    /expected the published files, got files with other contents/,
  );
  assert.deepEqual(readdirSync(cache), []);
  close();
});

test('an interrupted download is an interruption, not replaced by synthetic data', async () => {
  const { system, cache, close } = await publisher();
  const controller = new AbortController();
  const onProgress = (): void => controller.abort();
  await assert.rejects(loadMovieLens({ ...system, signal: controller.signal, onProgress }), { code: 'ERR_ABORTED' });
  assert.equal(existsSync(join(cache, 'u.data')), false);
  close();
});

test("the cache is where each system's users expect it", () => {
  const home = '/home/ada';
  const place = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform, home: string): string =>
    movieLensCacheFolder({ env, platform, home });
  assert.equal(place({}, 'linux', home), '/home/ada/.cache/shortlist/movielens-100k');
  assert.equal(place({}, 'darwin', home), '/home/ada/.cache/shortlist/movielens-100k');
  assert.equal(place({ XDG_CACHE_HOME: '/var/c' }, 'linux', home), '/var/c/shortlist/movielens-100k');
  assert.equal(place({ XDG_CACHE_HOME: 'relative' }, 'linux', home), '/home/ada/.cache/shortlist/movielens-100k');
  const local = 'C:\\Users\\ada\\AppData\\Local';
  const expected = `${local}\\shortlist\\cache\\movielens-100k`;
  assert.equal(place({ LOCALAPPDATA: local }, 'win32', 'C:\\Users\\ada'), expected);
  assert.equal(place({}, 'win32', 'C:\\Users\\ada'), expected);
});

test('the real files are the published ones', { skip }, async () => {
  assert.ok(arePublished(await readMovieLensFiles(join(DATA!, 'movielens-100k')), MOVIELENS_100K_ARCHIVE));
});
