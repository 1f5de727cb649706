// `wayward hip` without a daemon: keys are made once and kept safe, and a HIT is what RFC 7401 makes of the key.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { address, hitAddress, hitFromAddress } from '#sa';
import { folder, wayward } from './testing/wayward-process.ts';

/** RFC 7343 2 and RFC 7401 3.2, in other words than the code has them. */
function hitFromKey(hash: string, suite: number, hostIdentity: Buffer): string {
  const context = Buffer.from('F0EFF02FBFF43D0FE7930C3C6E6174EA', 'hex');
  const digest = createHash(hash)
    .update(Buffer.concat([context, hostIdentity]))
    .digest();
  const start = (digest.length - 12) / 2;
  return hitAddress(
    hitFromAddress(address(`2001:2${suite}::`))!
      .slice(0, 8)
      .concat(digest.subarray(start, start + 12).toString('hex')) as Parameters<typeof hitAddress>[0],
  );
}

for (const [type, hash, suite] of [
  ['p256', 'sha384', 2],
  ['p384', 'sha384', 2],
  ['rsa', 'sha256', 1],
] as const) {
  test(`a new ${type} key is its owner's alone, is never overwritten, and has the HIT of RFC 7401`, async (t) => {
    const path = join(folder(t), 'moon.pem');
    const made = await wayward(t, ['hip', 'keygen', path, '--type', type]);
    assert.deepEqual([made.status, made.err], [0, '']);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const before = readFileSync(path, 'utf8');
    const again = await wayward(t, ['hip', 'keygen', path]);
    assert.equal(again.status, 1);
    assert.match(again.err, /EEXIST/);
    assert.equal(readFileSync(path, 'utf8'), before);

    const shown = await wayward(t, ['hip', 'identity', path, '--json']);
    const [one] = JSON.parse(shown.out) as { hit: string; hostIdentity: string }[];
    assert.equal(one?.hit, made.out.trim());
    assert.equal(one?.hit, hitFromKey(hash, suite, Buffer.from(one!.hostIdentity, 'base64')));
    const text = await wayward(t, ['hip', 'identity', path, '--owner', 'moon.example.']);
    const record = /^moon\.example\. IN HIP \( ([23]) ([0-9A-F]{32}) (\S+) \)$/m.exec(text.out);
    assert.equal(record?.[2], hitFromAddress(address(one!.hit))?.toUpperCase());
    const inRecord = Buffer.from(record![3]!, 'base64');
    const whole = Buffer.from(one!.hostIdentity, 'base64');
    assert.deepEqual(inRecord, type === 'rsa' ? whole : whole.subarray(2));
  });
}

test('keys as OpenSSL writes them are identities too: SEC 1 and PKCS #1', async (t) => {
  const at = folder(t);
  const openssl = (...words: string[]): void => {
    execFileSync('openssl', words, { cwd: at, stdio: 'ignore' });
  };
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ec.pem');
  openssl('genrsa', '-traditional', '-out', 'rsa.pem', '2048');
  assert.match(readFileSync(join(at, 'ec.pem'), 'utf8'), /BEGIN EC PRIVATE KEY/);
  assert.match(readFileSync(join(at, 'rsa.pem'), 'utf8'), /BEGIN RSA PRIVATE KEY/);
  const ec = await wayward(t, ['hip', 'identity', join(at, 'ec.pem')]);
  assert.match(ec.out, /^HIT {12}2001:22:.*\nkey {12}ECDSA, P-256\n/);
  const rsa = await wayward(t, ['hip', 'identity', join(at, 'rsa.pem')]);
  assert.match(rsa.out, /^HIT {12}2001:21:.*\nkey {12}RSA, 2048 bits\n/);
  const none = await wayward(t, ['hip', 'identity', join(at, 'gone.pem')]);
  assert.equal(none.status, 1);
  assert.match(none.err, /ENOENT/);
});

test('the identities and peers of a configuration are shown, and faults name their place', async (t) => {
  const at = folder(t);
  const hit = (await wayward(t, ['hip', 'keygen', join(at, 'a.pem')])).out.trim();
  const config = join(at, 'x.conf');
  writeFileSync(join(at, 'hip.hosts'), '2001:21::1 192.0.2.1 moon\n2001:21::2\n');
  writeFileSync(
    config,
    'hip { hosts = hip.hosts\nidentities { a { file = a.pem\n} }\npeers { p { hit = 2001:22::7\naddrs = 192.0.2.7, ::7\n} } }\n',
  );
  const shown = await wayward(t, ['hip', 'identity', '--config', config]);
  assert.ok(shown.out.startsWith(`HIT            ${hit}\n`), shown.out + shown.err);
  const peers = await wayward(t, ['hip', 'hosts', '--config', config]);
  assert.equal(peers.out, '2001:22::7 192.0.2.7 ::7 p\n2001:21::1 192.0.2.1 moon\n2001:21::2\n');

  writeFileSync(join(at, 'hip.hosts'), '2001:21::1 192.0.2.400 moon\n');
  for (const words of [['--config', config], [join(at, 'hip.hosts')]]) {
    const faulty = await wayward(t, ['hip', 'hosts', ...words]);
    assert.equal(faulty.status, 2);
    const expected = 'hip.hosts:1:12: expected an address of the host, or its name\n';
    assert.equal(faulty.err, `wayward: ${at}/${expected}`);
  }
  writeFileSync(config, '');
  const nobody = await wayward(t, ['hip', 'identity', '--config', config]);
  assert.deepEqual([nobody.status, nobody.err], [1, `wayward: ${config} has no Host Identity\n`]);
});

test('with --json, what a key or a file has to say is JSON, and so is why there is none', async (t) => {
  const at = folder(t);
  const key = join(at, 'a.pem');
  const made = await wayward(t, ['hip', 'keygen', key, '--json']);
  const identity = JSON.parse(made.out) as { readonly hit: string };
  assert.equal(hitAddress(hitFromAddress(address(identity.hit))!), identity.hit);
  const hosts = join(at, 'hosts');
  writeFileSync(hosts, `${identity.hit} 192.0.2.1 moon\n`);
  const shown = await wayward(t, ['hip', 'hosts', hosts, '--json']);
  const expected = { name: 'moon', addresses: ['192.0.2.1'], hit: identity.hit };
  assert.deepEqual(pick(JSON.parse(shown.out)[0], expected), expected);

  writeFileSync(hosts, '2001:21::1 192.0.2.400 moon\n');
  const missing = join(at, 'missing');
  for (const [words, status] of [
    [['keygen', key], 1],
    [['identity', missing], 1],
    [['hosts', missing], 1],
    [['hosts', hosts], 2],
    [['identity', '--config', missing], 2],
    [['hosts', '--config', missing], 2],
  ] as const) {
    const failed = await wayward(t, ['hip', ...words, '--json']);
    assert.equal(failed.err, '', words.join(' '));
    const { ok, text } = JSON.parse(failed.out) as { readonly ok: boolean; readonly text: string };
    assert.equal(ok, false);
    assert.ok(text.length > 0);
    assert.equal(failed.status, status, words.join(' '));
  }
});

/** Of an object the fields that another one has. */
function pick(object: object, like: object): object {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name in like));
}
