/** A process that saves a bundle and kills itself just before one of its calls to the system: `PATH SEED CALL HOW`. */
import * as nodeFiles from 'node:fs';
import { writeBundle, writeBundleAsync } from '../../src/bundle/bundle.ts';
import { replaceFile, replaceFileAsync, type WriteCalls } from '../../src/bundle/file.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { world } from './worlds.ts';

const [path, seed, call, how] = process.argv.slice(2) as [string, string, string, string];
let made = 0;

/** The call, or the end. */
function counted<F extends (...rest: never[]) => unknown>(real: F): F {
  return ((...rest: Parameters<F>) => {
    if (made++ === Number(call)) process.kill(process.pid, 'SIGKILL');
    return real(...rest);
  }) as F;
}

const calls: WriteCalls = {
  openSync: counted(nodeFiles.openSync),
  writeSync: counted<WriteCalls['writeSync']>(nodeFiles.writeSync),
  write: counted<WriteCalls['write']>(nodeFiles.write),
  fsync: counted<WriteCalls['fsync']>(nodeFiles.fsync),
  closeSync: counted(nodeFiles.closeSync),
  renameSync: counted(nodeFiles.renameSync),
  unlinkSync: counted(nodeFiles.unlinkSync),
};

const runtime = new Runtime({ threads: 1 });
const contents = world(runtime, { seed: Number(seed) });
if (how === 'asynchronously') await replaceFileAsync(path, (sink) => writeBundleAsync(contents, sink), calls);
else await replaceFile(path, (sink) => writeBundle(contents, sink), calls);
process.stdout.write(`${made}`);
