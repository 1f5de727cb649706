// The packet thread where the kernel is the data plane; every kernel with XFRM can do that, even without ESP.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NamespacePair, said } from '../testing/namespace-pair.ts';
import { missingForXfrm } from './testing/missing-for-xfrm.ts';

const end = fileURLToPath(new URL('./testing/kernel-loop-end.js', import.meta.url));
const garbage = fileURLToPath(new URL('./testing/xfrm-garbage.js', import.meta.url));
const burst = fileURLToPath(new URL('./testing/xfrm-burst.js', import.meta.url));

test('when messages of the kernel found no room, what they may have said is looked up', {
  skip: missingForXfrm(),
}, async () => {
  const pair = new NamespacePair();
  try {
    const thread = pair.start('left', process.execPath, end, 'stopped');
    await said(thread, 'rounds');
    const known = said(thread, 'foreign 4711');
    const lost = said(thread, 'lost 1');
    thread.kill('SIGSTOP');
    const { status, output } = await pair.run('left', process.execPath, burst, '20000', '4711');
    thread.kill('SIGCONT');
    assert.equal(status, 0, output);
    await Promise.all([known, lost]);
  } finally {
    pair.close();
  }
});

test('messages that make no sense end nothing; what they may have said is looked up', {
  skip: missingForXfrm(),
}, async () => {
  const pair = new NamespacePair();
  try {
    const thread = pair.start('left', process.execPath, end);
    await said(thread, 'rounds');
    const unreadable = said(thread, 'unreadable 3');
    const { status, output } = await pair.run('left', process.execPath, garbage);
    assert.equal(status, 0, output);
    await unreadable;
    // Of the same kernel, and read after them.
    const known = said(thread, 'foreign 4712');
    assert.equal((await pair.run('left', process.execPath, burst, '0', '4712')).status, 0);
    // Nobody tells of an SPI that is taken: whoever looks up what was lost finds it.
    assert.equal((await pair.run('left', process.execPath, garbage)).status, 0);
    await known;
  } finally {
    pair.close();
  }
});

test('SAs of others that go all at once are known to be gone', {
  skip: missingForXfrm(),
  timeout: 180_000,
}, async () => {
  const pair = new NamespacePair();
  try {
    assert.equal((await pair.run('left', process.execPath, burst, '0', '4713')).status, 0);
    const thread = pair.start('left', process.execPath, end);
    await said(thread, 'foreign 4713');
    const next = said(thread, 'foreign');
    await pair.run('left', 'ip', 'xfrm', 'state', 'flush');
    assert.equal(await next, 'foreign ');
  } finally {
    pair.close();
  }
});

test('its rounds are counted while nothing happens, for whoever watches that packets can be handled', {
  skip: missingForXfrm(),
}, async () => {
  const pair = new NamespacePair();
  try {
    const thread = pair.start('left', process.execPath, end);
    for (let i = 0; i < 2; i++) await said(thread, 'rounds');
  } finally {
    pair.close();
  }
});

test('IKE and HIP go on with the UDP sockets of a process before this one', {
  skip: missingForXfrm(),
}, async () => {
  const pair = new NamespacePair();
  try {
    const line = await said(pair.start('left', process.execPath, end), 'given');
    const [, given, has] = /^given ([\d,]+), has ([\d,]+)$/.exec(line) ?? [];
    assert.equal(given?.split(',').length, 3, line);
    assert.equal(has, given);
  } finally {
    pair.close();
  }
});
