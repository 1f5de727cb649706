// Routes for policies of the kernel: packets go where the peer is, from an address that the policy is about.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NamespacePair, outerAddresses, said } from '../testing/namespace-pair.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root for network namespaces';
const end = fileURLToPath(new URL('./testing/kernel-network-end.js', import.meta.url));

test('routes lead to the peer or to its gateway, are counted, and go with the addresses at the end', {
  skip,
}, async () => {
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
  } finally {
    pair.close();
  }
});
