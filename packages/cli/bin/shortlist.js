#!/usr/bin/env node
// npm links commands while it installs, before anything is built: a file that is there from the start. In a clone that was
// not built yet it builds first, which needs no network.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const command = new URL('../build/src/bin.js', import.meta.url);
if (!existsSync(command)) {
  const build = fileURLToPath(new URL('../../../scripts/build.mjs', import.meta.url));
  if (!existsSync(build)) {
    console.error(`shortlist: expected ${fileURLToPath(command)}, there is nothing; install @shortlist/cli again`);
    process.exit(1);
  }
  console.error('shortlist: not built yet; building, which takes a minute or so');
  // What the build prints is no result of the command.
  if (spawnSync(process.execPath, [build], { stdio: ['ignore', 2, 2] }).status !== 0) process.exit(1);
}
await import(command.href);
