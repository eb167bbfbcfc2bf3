/**
 * The guide: every command and program on its pages runs as written, in a project with the files that the pages name.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { transform } from 'esbuild-wasm';
import { projectFolder } from './files.ts';
import { type CodeBlock, codeBlocks, pagesOf } from './pages.ts';

const ROOT = resolve(fileURLToPath(new URL('../../../../../..', import.meta.url)));
const hasShell = spawnSync('sh', ['-c', 'curl --version']).status === 0;
const skip = hasShell ? false : 'there is no sh or no curl';
const folder = projectFolder(join(ROOT, 'node_modules'));
after(() => rmSync(folder, { recursive: true, force: true }));

const pages = pagesOf(join(ROOT, 'docs/guide')).filter(({ blocks }) => blocks.length > 0);

test('the programs of the pages compile', { skip }, async () => {
  const files = pages.map(({ name, blocks }) => {
    const file = `${name.replace('.md', '')}.ts`;
    writeFileSync(join(folder, file), `${programOf(blocks)}export {};\n`);
    return file;
  });
  const settings = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--types', 'node'];
  await output(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...settings, ...files], {});
});

test('the first program of README.md runs as it is pasted', { skip }, async () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const program = codeBlocks(readme).find(({ language }) => language === 'ts')!.text;
  assert.ok(program.trimEnd().split('\n').length <= 25, 'it fits a screen');
  writeFileSync(join(folder, 'readme.ts'), program);
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const settings = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--types', 'node'];
  await output(process.execPath, [tsc, ...settings, 'readme.ts'], {});
  const { code } = await transform(program, { loader: 'ts', format: 'esm', target: 'es2022' });
  writeFileSync(join(folder, 'readme.mjs'), code);
  const printed = await output(process.execPath, ['readme.mjs'], {});
  assert.equal(printed.match(/identifier: /g)?.length, 3, printed);
});

for (const { name, blocks } of pages) {
  test(`${name}: its commands and programs run`, { skip }, async () => {
    for (const left of ['shortlist.config.json', 'movies.shortlist', 'tuned.shortlist', 'models']) {
      rmSync(join(folder, left), { recursive: true, force: true });
    }
    const page = new Page();
    try {
      for (const block of blocks) await page.run(block);
      await page.runProgram(programOf(blocks));
    } finally {
      await page.end();
    }
  });
}

/** The programs of a page are one module. */
function programOf(blocks: readonly CodeBlock[]): string {
  return blocks
    .filter(({ language }) => language === 'ts')
    .map(({ text }) => text)
    .join('');
}

/** Runs the blocks of one page. */
class Page {
  #server: ChildProcess | undefined;
  #port = 0;

  async run({ language, word, text }: CodeBlock): Promise<void> {
    if (language === 'ts') return;
    if (language === 'sh' && word === 'server') await this.#serve(text);
    else if (language === 'sh' && word === '') await this.#commands(text);
    else if (word !== '') writeFileSync(join(folder, word), text, { mode: 0o755 });
    else assert.fail(`a block of ${language} that is not run`);
  }

  async runProgram(program: string): Promise<void> {
    if (program === '') return;
    const { code } = await transform(program, { loader: 'ts', format: 'esm', target: 'es2022' });
    writeFileSync(join(folder, 'program.mjs'), code);
    const SHORTLIST_URL = `http://127.0.0.1:${this.#port}`;
    await output(process.execPath, ['program.mjs'], { SHORTLIST_URL });
  }

  async end(): Promise<void> {
    if (!this.#server) return;
    this.#server.kill('SIGINT');
    await once(this.#server, 'exit');
  }

  /** The commands as written; where port 8501 leads is in the settings of curl. */
  async #commands(text: string): Promise<void> {
    const connect = `connect-to = "127.0.0.1:8501:127.0.0.1:${this.#port}"`;
    writeFileSync(join(folder, '.curlrc'), `silent\nfail\nshow-error\nnoproxy = "*"\n${connect}\n`);
    await output('sh', ['-e', '-c', text], { CURL_HOME: folder });
  }

  /** Any free port instead of the usual ones; npx would not hand a signal on. */
  async #serve(text: string): Promise<void> {
    const [npx, shortlist, ...words] = text.trim().split(' ');
    assert.deepEqual([npx, shortlist], ['npx', 'shortlist']);
    const command = join(folder, 'node_modules/.bin/shortlist');
    const args = [command, ...words, '--http-port', '0', '--grpc-port', 'none', '--log-level', 'error'];
    this.#server = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: this.#server.stdout! })) {
      const port = /Serving HTTP on port (\d+)/.exec(line)?.[1];
      if (!port) continue;
      this.#port = Number(port);
      return;
    }
    assert.fail('the server ended before it served');
  }
}

async function output(command: string, args: readonly string[], variables: Record<string, string>): Promise<string> {
  const env = { ...process.env, ...variables };
  try {
    return (await promisify(execFile)(command, [...args], { cwd: folder, env, maxBuffer: 1 << 24 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    assert.fail(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  }
}
