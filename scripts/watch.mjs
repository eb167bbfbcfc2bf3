// Rebuilds whenever a source of the kernels or of TypeScript changes; only what is out of date is built.
// Options are those of scripts/build.mjs.
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDERS = ['packages', 'bench', 'examples', 'scripts'];
/** Paths that a build or an installation writes; their changes do not start a build. */
const NOT_SOURCES = /(^|[/\\])(build|node_modules)([/\\]|$)|\.generated\.ts$/;
/** Time without a change after which a build begins, because editors write a file in several steps. */
const QUIET_MS = 100;

let building;
let isStale = false;
let timer;

function build() {
  isStale = false;
  const start = performance.now();
  building = spawn(process.execPath, [join(root, 'scripts/build.mjs'), ...process.argv.slice(2)], { stdio: 'inherit' });
  building.on('exit', (code) => {
    building = undefined;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(code === 0 ? `built in ${seconds} s` : `build failed after ${seconds} s`);
    if (isStale) build();
  });
}

for (const folder of FOLDERS) {
  watch(join(root, folder), { recursive: true }, (_event, name) => {
    if (!name || NOT_SOURCES.test(name) || !/\.(m?ts|mjs|json)$/.test(name)) return;
    isStale = true;
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!building && isStale) build();
    }, QUIET_MS);
  });
}
console.log('watching; stop with Ctrl-C');
build();
