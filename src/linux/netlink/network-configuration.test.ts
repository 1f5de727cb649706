// What the kernel has after routes, addresses and rules were set: iproute2 tells.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NamespacePair, said } from '../testing/namespace-pair.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root for network namespaces and TUN devices';
const tunNetworkEnd = fileURLToPath(new URL('../testing/tun-network-end.js', import.meta.url));

/** Plays `use` with a device in a namespace: one function gives it commands, the other asks `ip`. */
async function withDevice(
  use: (
    does: (line: string) => Promise<string>,
    ip: (...words: string[]) => Promise<string>,
  ) => Promise<void>,
): Promise<void> {
  const pair = new NamespacePair();
  try {
    const child = pair.start('left', process.execPath, tunNetworkEnd);
    const does = (line: string): Promise<string> => {
      const answer = said(child, 'done');
      child.stdin!.write(`${line}\n`);
      return answer.then((text) => text.slice('done'.length).trim());
    };
    await use(does, async (...words) => (await pair.run('left', 'ip', ...words)).output.trim());
  } finally {
    pair.close();
  }
}

test('a device is up with its MTU, and packets without our mark look into our table first', {
  skip,
}, async () => {
  await withDevice(async (does, ip) => {
    assert.equal(await does('up tun0'), '');
    assert.match(await ip('link', 'show', 'tun0'), /[<,]UP[,>].* mtu 1400 /);
    for (const family of ['-4', '-6'])
      assert.match(await ip(family, 'rule'), /^220:\s+not from all fwmark 0x776179 lookup 220\s*$/m);
    // As a daemon that was killed leaves it.
    assert.equal(await does('up tun0'), '');
    assert.equal(await does('close'), '');
    for (const family of ['-4', '-6']) assert.doesNotMatch(await ip(family, 'rule'), /lookup 220/);
  });
});

test('routes and addresses stay as long as somebody needs them', { skip }, async () => {
  await withDevice(async (does, ip) => {
    await does('up tun0');
    for (let user = 0; user < 2; user++) {
      for (const line of ['address 10.7.0.1', 'address 2001:db8:7::1']) assert.equal(await does(line), '');
      for (const line of [
        'route 10.9.0.0/16 10.7.0.1',
        'route 2001:db8:9::/48',
        'route ::/0',
        'route 0.0.0.0/0',
      ])
        assert.equal(await does(line), '');
    }
    assert.match(
      await ip('address', 'show', 'dev', 'tun0'),
      /inet 10\.7\.0\.1\/32 .*inet6 2001:db8:7::1\/128/s,
    );
    const routes = async (family: string): Promise<string> => ip(family, 'route', 'show', 'table', '220');
    assert.match(await routes('-4'), /^10\.9\.0\.0\/16 dev tun0 scope link src 10\.7\.0\.1/m);
    assert.match(await routes('-4'), /^default dev tun0 scope link/m);
    assert.match(await routes('-6'), /^2001:db8:9::\/48 dev tun0/m);
    assert.match(await routes('-6'), /^default dev tun0/m);
    const end = [
      'no-route 10.9.0.0/16',
      'no-route ::/0',
      'no-address 2001:db8:7::1',
      'no-route 2001:db8:9::/48',
    ];
    for (const line of end) assert.equal(await does(line), '');
    assert.match(await routes('-4'), /^10\.9\.0\.0\/16/m);
    assert.match(await ip('-6', 'address', 'show', 'dev', 'tun0'), /2001:db8:7::1/);
    for (const line of end) assert.equal(await does(line), '');
    assert.doesNotMatch(await routes('-4'), /^10\.9\.0\.0\/16/m);
    assert.equal(await routes('-6'), '');
    assert.doesNotMatch(await ip('-6', 'address', 'show', 'dev', 'tun0'), /2001:db8:7::1/);
  });
});

test('what goes with a device that is set down comes back, and what somebody else removed is no hindrance', {
  skip,
}, async () => {
  await withDevice(async (does, ip) => {
    await does('up tun0');
    for (const line of [
      'address 10.7.0.1',
      'address 2001:db8:7::1',
      'route 10.9.0.0/16 10.7.0.1',
      'route ::/0',
    ])
      assert.equal(await does(line), '');
    const state = async (): Promise<string[]> => [
      await ip('-4', 'route', 'show', 'table', '220'),
      await ip('-6', 'route', 'show', 'table', '220'),
      (await ip('-o', 'address', 'show', 'dev', 'tun0', 'scope', 'global')).replaceAll(/ +/g, ' '),
    ];
    const before = await state();
    await ip('link', 'set', 'tun0', 'down');
    await does('restore');
    await ip('link', 'set', 'tun0', 'up');
    assert.notDeepEqual(await state(), before);
    assert.equal(await does('restore'), '');
    assert.deepEqual(await state(), before);
    for (const family of ['-4', '-6']) await ip(family, 'route', 'flush', 'table', '220');
    await ip('address', 'flush', 'dev', 'tun0', 'scope', 'global');
    for (const line of ['no-route 10.9.0.0/16', 'no-address 10.7.0.1', 'no-address 2001:db8:7::1'])
      assert.equal(await does(line), '');
  });
});

test('what the kernel refuses is told in its words', { skip }, async () => {
  await withDevice(async (does) => {
    assert.equal(await does('up nothing0'), 'device nothing0: ENODEV');
    await does('up tun0');
    assert.match(await does('route 10.9.0.0/16 192.0.2.99'), /^route to 10\.9\.0\.0\/16: EINVAL/);
    await does('route 10.8.0.0/16');
    await does('close');
  });
});

test('packets to an address are for this machine as soon as it was added', { skip }, async () => {
  await withDevice(async (does) => {
    await does('up tun0');
    assert.equal(await does('addresses 2001:db8:7::'), '200 at once');
  });
});
