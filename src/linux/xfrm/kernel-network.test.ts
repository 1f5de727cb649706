// Routes for policies of the kernel: packets go where the peer is, from an address that the policy is about.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NamespacePair, outerAddresses, said } from '../testing/namespace-pair.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root for network namespaces';
const end = fileURLToPath(new URL('./testing/kernel-network-end.js', import.meta.url));

/** Plays `use` with our routes in a namespace: one function gives commands, the others ask `ip`. */
async function withNetwork(
  use: (
    does: (line: string) => Promise<void>,
    ip: (...words: string[]) => Promise<string>,
    table: (family?: string) => Promise<string>,
  ) => Promise<void>,
): Promise<void> {
  const pair = new NamespacePair();
  try {
    const ip = async (...words: string[]): Promise<string> =>
      (await pair.run('left', 'ip', ...words)).output.trim();
    await ip('address', 'add', '10.1.0.1/32', 'dev', 'lo');
    await ip('route', 'add', '203.0.113.0/24', 'via', outerAddresses[4].right);
    const child = pair.start('left', process.execPath, end);
    const does = async (line: string): Promise<void> => {
      const answer = said(child, 'done');
      child.stdin!.write(`${line}\n`);
      await answer;
    };
    const table = async (family = '-4'): Promise<string> =>
      (await ip(family, 'route', 'show', 'table', '220')).replace(
        /^Error: ipv[46]: FIB table does not exist.*/s,
        '',
      );
    await use(does, ip, table);
  } finally {
    pair.close();
  }
}

test('routes lead to the peer or to its gateway, are counted, and go with the addresses at the end', {
  skip,
}, async () => {
  await withNetwork(async (does, ip, table) => {
    // A trap knows no peer, and the kernel no way: nothing yet.
    await does('route 10.2.0.0/24 10.1.0.1');
    assert.equal(await table(), '');
    // Its SA does: the peer is a neighbor.
    await does(`route 10.2.0.0/24 10.1.0.1 ${outerAddresses[4].right}`);
    assert.equal(await table(), '10.2.0.0/24 via 192.0.2.2 dev veth0 src 10.1.0.1 onlink');
    await does('route 10.3.0.0/24 - 203.0.113.9');
    assert.match(await table(), /^10\.3\.0\.0\/24 via 192\.0\.2\.2 dev veth0 onlink/m);
    await does(`route fd02::/64 - ${outerAddresses[6].right}`);
    assert.match(await table('-6'), /^fd02::\/64 via 2001:db8:ffff::2 dev veth0/);
    // An outer address of the other family: the device alone is known.
    await does(`route fd03::/64 - ${outerAddresses[4].right}`);
    assert.match(await table('-6'), /^fd03::\/64 dev veth0/m);
    await does('address 10.1.0.7');
    await does('address 10.1.0.7');
    assert.match(await ip('address', 'show', 'dev', 'lo'), /10\.1\.0\.7\/32/);
    await does('no-address 10.1.0.7');
    assert.match(await ip('address', 'show', 'dev', 'lo'), /10\.1\.0\.7\/32/);
    await does('no-route 10.2.0.0/24');
    assert.match(await table(), /10\.2\.0\.0/);
    await does('no-route 10.2.0.0/24');
    assert.doesNotMatch(await table(), /10\.2\.0\.0/);
    await does('close');
    assert.equal(await table(), '');
    assert.equal(await table('-6'), '');
    assert.doesNotMatch(await ip('address', 'show', 'dev', 'lo'), /10\.1\.0\.7/);
    assert.doesNotMatch(await ip('rule'), /220/);
  });
});

test('what the kernel has taken away with a device or an address comes back with them', {
  skip,
}, async () => {
  await withNetwork(async (does, ip, table) => {
    const peer = outerAddresses[4].right;
    for (const line of [
      `route 10.2.0.0/24 10.1.0.1 ${peer}`,
      `route 10.3.0.0/24 - ${peer}`,
      `route fd02::/64 - ${outerAddresses[6].right}`,
      'address 10.1.0.7',
      'address fd01::7',
    ])
      await does(line);
    const all = async (): Promise<string[]> => [await table(), await table('-6')];
    const before = await all();
    const addresses = /10\.1\.0\.7\/32.*fd01::7\/128/s;
    assert.match(await ip('address', 'show', 'dev', 'lo'), addresses);
    await does('restore');
    assert.deepEqual(await all(), before);
    await ip('link', 'set', 'veth0', 'down');
    assert.deepEqual(await all(), ['', '']);
    await does('restore');
    await ip('link', 'set', 'veth0', 'up');
    await ip('address', 'add', `${outerAddresses[6].left}/64`, 'dev', 'veth0', 'nodad');
    await does('restore');
    assert.deepEqual(await all(), before);
    await ip('address', 'flush', 'dev', 'lo');
    await ip('address', 'add', '10.1.0.1/32', 'dev', 'lo');
    await does('restore');
    assert.deepEqual(await all(), before);
    assert.match(await ip('address', 'show', 'dev', 'lo'), addresses);
    // The way to the peer is another one by then.
    await ip('link', 'set', 'veth0', 'down');
    await ip('link', 'add', 'other0', 'type', 'veth', 'peer', 'name', 'other1');
    await ip('address', 'add', '192.0.2.3/24', 'dev', 'other0');
    for (const device of ['other0', 'other1']) await ip('link', 'set', device, 'up');
    await does('restore');
    assert.match(await table(), /^10\.2\.0\.0\/24 via 192\.0\.2\.2 dev other0 src 10\.1\.0\.1/m);
  });
});

test('a trap for which the kernel knew no way has one once there is one', { skip }, async () => {
  await withNetwork(async (does, ip, table) => {
    await does('route 10.2.0.0/24 10.1.0.1');
    await does('restore');
    assert.equal(await table(), '');
    await ip('route', 'add', 'default', 'via', outerAddresses[4].right);
    await does('restore');
    assert.match(await table(), /^10\.2\.0\.0\/24 via 192\.0\.2\.2 dev veth0 src 10\.1\.0\.1/);
  });
});

test('what is gone already is no hindrance to the end, nor to what goes with it', { skip }, async () => {
  await withNetwork(async (does, ip, table) => {
    const peer = outerAddresses[4].right;
    for (const line of [`route 10.2.0.0/24 - ${peer}`, `route 10.3.0.0/24 - ${peer}`]) await does(line);
    for (const line of [
      `route fd02::/64 - ${outerAddresses[6].right}`,
      'address 10.1.0.7',
      'address fd01::7',
    ])
      await does(line);
    for (const family of ['-4', '-6']) await ip(family, 'route', 'flush', 'table', '220');
    for (const address of ['10.1.0.7/32', 'fd01::7/128']) await ip('address', 'del', address, 'dev', 'lo');
    for (const line of ['no-route 10.2.0.0/24', 'no-address 10.1.0.7']) await does(line);
    await does(`route 10.4.0.0/24 - ${peer}`);
    await does('address 10.1.0.8');
    await does('close');
    assert.deepEqual([await table(), await table('-6')], ['', '']);
    assert.doesNotMatch(await ip('address', 'show', 'dev', 'lo'), /10\.1\.0\.8/);
    assert.doesNotMatch(await ip('rule'), /220/);
  });
});
