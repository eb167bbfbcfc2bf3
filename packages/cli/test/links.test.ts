/** Every relative link in the documents names an existing file and an existing heading. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(fileURLToPath(new URL('../../../..', import.meta.url)));
const FOLDERS = ['docs', 'packages', 'bench', 'deploy', 'examples', '.changeset'];
const LEFT_OUT = /(^|\/)(node_modules|build|api)\//;

function documents(): string[] {
  const top = readdirSync(ROOT).filter((file) => file.endsWith('.md'));
  const below = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .map((file) => join(folder, file))
      .filter((file) => file.endsWith('.md') && !LEFT_OUT.test(file)),
  );
  return [...top, ...below].map((file) => join(ROOT, file));
}

/** The anchor of a heading, as GitHub makes it. */
function anchorOf(heading: string): string {
  const plain = heading.replace(/`|\*|\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  return plain.replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
}

function anchorsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!));
}

test('every relative link has an existing target', () => {
  const broken: string[] = [];
  let links = 0;
  for (const file of documents()) {
    const text = readFileSync(file, 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      links++;
      const [path, anchor] = target!.split('#') as [string, string?];
      const to = path === '' ? file : join(dirname(file), path);
      const isThere = existsSync(to) && (anchor === undefined || anchorsOf(to).includes(anchor));
      if (!isThere) broken.push(`${relative(ROOT, file)}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
  assert.ok(links > 50, `${links} links`);
});
