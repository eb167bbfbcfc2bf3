/** The packages as npm sees them: no engine warning on a supported Node, and no package without its files. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const read = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));

/** The lowest major version of Node that this workspace supports. */
const MAJOR = 20;

/** True if a range of package.json includes Node 20: alternatives of `>=20`, `^20.1`, `20.x`, `*` and the like. */
function takesNode(range: string): boolean {
  return range.split('||').some((part) => {
    const [, sign, major] = /^\s*(>=|>|\^|~|=|)\s*v?(\d+|\*|x)/.exec(part) ?? [];
    if (major === '*' || major === 'x') return true;
    return sign?.startsWith('>') ? Number(major) <= MAJOR : Number(major) === MAJOR;
  });
}

test('no dependency needs a newer Node than the workspace does', () => {
  assert.deepEqual(['>=22', '^18', '>= 16 || x', '^18 || >=20', '>=20.19'].map(takesNode), [
    false,
    false,
    true,
    true,
    true,
  ]);
  const { packages } = read('package-lock.json') as { packages: Record<string, { engines?: { node?: string } }> };
  const refused = Object.entries(packages).filter(([, { engines }]) => engines?.node && !takesNode(engines.node));
  assert.deepEqual(
    refused.map(([path]) => path),
    [],
  );
});

test('every package is built before it is packed, and has a description and keywords', () => {
  const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
  for (const name of readdirSync(join(ROOT, 'packages'))) {
    const manifest = read(`packages/${name}/package.json`) as {
      name: string;
      license?: string;
      description?: string;
      keywords?: string[];
      scripts?: Record<string, string>;
    };
    assert.equal(manifest.scripts?.prepack, 'node ../../scripts/build.mjs', name);
    assert.equal(manifest.license, 'Apache-2.0', name);
    assert.ok(manifest.description && (manifest.keywords?.length ?? 0) >= 5, name);
    // npm packs no file from above a package.
    assert.equal(text(`packages/${name}/LICENSE`), text('LICENSE'), name);
    assert.ok(text(`packages/${name}/README.md`).startsWith(`# ${manifest.name}\n`), name);
  }
});
