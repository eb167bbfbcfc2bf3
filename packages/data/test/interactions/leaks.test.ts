import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeLeaks, findLeaks } from '../../src/interactions/leaks.ts';
import { readInteractions } from '../../src/interactions/read-interactions.ts';
import { fileOf } from '../files.ts';

test('pairs in both parts, unknown users and items, and later training rows', async (t) => {
  const read = async (text: string) =>
    (await readInteractions(fileOf(t, 'part.csv', `user,item,timestamp\n${text}`))).table.select();
  const train = await read('a,x,1476640000\na,y,1476640001\nb,x,1476640009\n');
  const test = await read('a,x,1476640005\nb,y,1476640008\nc,x,1476640007\nb,z,1476640010\n');
  const leaks = findLeaks(train, test);
  assert.deepEqual(leaks, { pairsInBoth: 1, rowsOfUnknownUsers: 1, rowsOfUnknownItems: 1, trainRowsAfterTest: 1 });
  assert.equal(describeLeaks(leaks).length, 4);
  const clean = findLeaks(train, await read('a,x,1576640005\nb,y,1576640008\n'));
  assert.deepEqual(clean, { pairsInBoth: 1, rowsOfUnknownUsers: 0, rowsOfUnknownItems: 0, trainRowsAfterTest: 0 });
});
