import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Ending, folder, needsRoot, WaywardProcess, wayward } from './testing/wayward-process.ts';

const connection = (lines = '', local = 'auth = psk'): string => `connections {
  net {
    remote_addrs = 192.0.2.1
    ${lines}
    local {
      ${local}
    }
    remote {
      auth = psk
    }
    children {
      net {
        remote_ts = 10.2.0.0/16
      }
    }
  }
}
secrets {
  ike {
    secret = "not for any log"
  }
}
`;

/** Of CN=moon, made by OpenSSL with a key that is gone. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBNDCB56ADAgECAhRjAfq4lBjthahq/VDdnaiGTzRtlTAFBgMrZXAwDzENMAsG
A1UEAwwEbW9vbjAgFw0yNjExMjUxNzExNTdaGA8yMTI2MTEwMTE3MTE1N1owDzEN
MAsGA1UEAwwEbW9vbjAqMAUGAytlcAMhAG9ZGCBBjpbHVFz8w8KfUlf6VSA6A1d/
w5+2prvI6GJyo1MwUTAdBgNVHQ4EFgQULiJfulzphrCCRpIQQfEirSQQETAwHwYD
VR0jBBgwFoAULiJfulzphrCCRpIQQfEirSQQETAwDwYDVR0TAQH/BAUwAwEB/zAF
BgMrZXADQQAm8VmSfc5SexACQk/6N1wOTwJHd05hZhvcNJdM/yqOsJs2HBKiXxya
LARutKxnw8NLiYC6bOGwksAmOHW1EWYA
-----END CERTIFICATE-----
`;

/** A configuration file and the words that run it; nothing it makes is outside of the folder. */
function configured(t: TestContext, text: string): { readonly file: string; readonly words: string[] } {
  const path = folder(t);
  const file = join(path, 'swanctl.conf');
  writeFileSync(file, text);
  return { file, words: ['run', '--config', file, '--socket', join(path, 'control')] };
}

function assertOneLine(ending: Ending, line: string | RegExp, status: number): void {
  const [first = '', ...rest] = ending.err.split('\n');
  if (typeof line === 'string') assert.equal(first, `wayward: ${line}`);
  else assert.match(first, line);
  assert.deepEqual(rest, [''], ending.err);
  assert.equal(ending.out, '');
  assert.equal(ending.status, status);
}

/** Without the kernel's other users: a network of its own. */
const ownNetwork = ['unshare', '--net'];

test('a mistyped option is named with file, line and column, and nothing is loaded', async (t) => {
  const { file, words } = configured(t, connection('remote_port_ = 500'));
  assertOneLine(
    await wayward(t, words),
    `${file}:4:5: unknown option "remote_port_" in connections.<conn> (did you mean "remote_port"?)`,
    2,
  );
  assert.deepEqual(readdirSync(join(file, '..')), ['swanctl.conf']);
});

test('every mistake of a file is named at once, each in a line, and no secret with it', async (t) => {
  const text = connection('dpd_delay = soon').replace('ike {', 'ike {\n    sercet = "also not for any log"');
  const { file, words } = configured(t, text);
  const { status, err } = await wayward(t, words);
  assert.match(err, new RegExp(`^wayward: ${file}:4:17: dpd_delay = "soon": .*\n`));
  assert.match(
    err,
    new RegExp(`\nwayward: ${file}:20:5: unknown option in secrets.* .did you mean "secret".*\n$`),
  );
  assert.equal(err.split('\n').length, 3);
  assert.doesNotMatch(err, /for any log/);
  assert.equal(status, 2);
});

test('octets that are no UTF-8 are not taken for other characters, also not in a secret', async (t) => {
  const { file, words } = configured(t, connection());
  writeFileSync(file, connection().replace('not for', 'p\xe4ss'), 'latin1');
  assertOneLine(await wayward(t, words), `configuration ${file} cannot be read: line 20 is no UTF-8 text`, 2);
});

test('a missing certificate is named with the place that names it', async (t) => {
  const { file, words } = configured(t, connection('', 'auth = pubkey\n      certs = moon.pem'));
  assertOneLine(await wayward(t, words), `${file}:7:15: certs: there is no file x509/moon.pem`, 2);
});

test('a missing private key is named with the place that needs it', async (t) => {
  const { file, words } = configured(t, connection('', 'auth = pubkey\n      certs = moon.pem'));
  const x509 = join(file, '..', 'x509');
  mkdirSync(x509);
  writeFileSync(join(x509, 'moon.pem'), certificate);
  assertOneLine(await wayward(t, words), new RegExp(`^wayward: ${file}:\\d+:\\d+: .*private key`), 2);
});

test('a configuration file that is not there, is a folder or may not be read', async (t) => {
  const path = folder(t);
  const run = (file: string): Promise<Ending> =>
    wayward(t, ['run', '--config', file, '--socket', join(path, 'control')]);
  const missing = join(path, 'none.conf');
  assertOneLine(await run(missing), `configuration ${missing} cannot be read: there is no such file`, 2);
  assertOneLine(await run(path), `configuration ${path} cannot be read: it is a folder`, 2);
});

test('without privileges: one line that names what is needed', async (t) => {
  const { words } = configured(t, connection());
  // As root, a process without capabilities stands for an ordinary one: it can read the same files.
  const within = needsRoot === false ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];
  assertOneLine(
    await wayward(t, words, { within }),
    'ioctl: EPERM (TUNSETIFF wayward0): wayward needs root, or CAP_NET_ADMIN, CAP_NET_RAW and CAP_NET_BIND_SERVICE',
    1,
  );
});

test('without /dev/net/tun: one line', { skip: needsRoot }, async (t) => {
  const { words } = configured(t, connection());
  const hidden = ['sh', '-c', 'mount -t tmpfs none /dev/net && exec "$@"', 'sh'];
  assertOneLine(
    await wayward(t, words, { within: ['unshare', '--net', '--mount', ...hidden] }),
    'open: ENOENT (/dev/net/tun): the tun driver is missing (modprobe tun)',
    1,
  );
});

test('a device or a port in use, and a state folder or a control socket of another daemon', {
  skip: needsRoot,
}, async (t) => {
  const { file, words } = configured(t, connection());
  const first = new WaywardProcess(t, words, { within: ownNetwork });
  await first.printed(/wayward is running/);
  const inside = ['nsenter', '--target', String(first.pid), '--net'];
  const elsewhere = (config: string): string[] => [
    ...['run', '--config', config, '--socket', join(file, '..', 'other')],
  ];
  const sameDevice = await wayward(t, elsewhere(file), { within: inside });
  assertOneLine(sameDevice, 'ioctl: EBUSY (TUNSETIFF wayward0): is another wayward running?', 1);
  const otherDevice = join(file, '..', 'other.conf');
  writeFileSync(otherDevice, `${connection()}wayward {\n  tun_name = other0\n}\n`);
  const refused = await wayward(t, elsewhere(otherDevice), { within: inside });
  assertOneLine(refused, 'bind: EADDRINUSE (UDP port 500 of 0.0.0.0): is another IKE daemon running?', 1);
  assertOneLine(
    await wayward(t, words, { within: ownNetwork }),
    `state folder ${join(file, '..', 'control.state')} is in use by another process`,
    1,
  );
  assertOneLine(
    await wayward(t, [...words, '--state', join(file, '..', 'state')], { within: ownNetwork }),
    `another daemon serves ${join(file, '..', 'control')}`,
    1,
  );
  first.signal('SIGTERM');
  const { status } = await first.ended();
  assert.equal(status, 0);
  assert.equal(existsSync(join(file, '..', 'control')), false);
});

test('a control socket path that cannot be used', { skip: needsRoot }, async (t) => {
  const { file } = configured(t, connection());
  const run = (socket: string, within: readonly string[] = ownNetwork): Promise<Ending> =>
    wayward(t, ['run', '--config', file, '--state', join(path, 'state'), '--socket', socket], { within });
  const path = join(file, '..');
  assertOneLine(
    await run(join(path, 'no', 'control')),
    `control socket ${join(path, 'no', 'control')}: there is no folder ${join(path, 'no')}`,
    1,
  );
  assertOneLine(await run(path), `${path} exists and is no socket`, 1);
  const readOnly = ['unshare', '--net', '--mount', 'sh', '-c', 'mount -t tmpfs -o ro none "$0" && exec "$@"'];
  const sealed = join(path, 'sealed');
  mkdirSync(sealed);
  assertOneLine(
    await run(join(sealed, 'control'), [...readOnly, sealed]),
    new RegExp(`^wayward: control socket ${sealed}/control cannot be opened: .*EROFS`),
    1,
  );
  const long = join(path, 'x'.repeat(120));
  assertOneLine(await run(long), `control socket ${long}: the path is longer than 107 octets`, 1);
});

test('a key log never overwrites a file nor follows a link, and a failed start leaves none', {
  skip: needsRoot,
}, async (t) => {
  const { file, words } = configured(t, connection());
  const path = join(file, '..');
  const run = (keyLog: string, socket?: string): Promise<Ending> =>
    wayward(
      t,
      [
        ...words,
        ...['--state', join(path, 'state'), '--keylog', keyLog],
        ...(socket === undefined ? [] : ['--socket', socket]),
      ],
      { within: ownNetwork },
    );
  const there = join(path, 'there');
  const link = join(path, 'link');
  const target = join(path, 'target');
  writeFileSync(there, 'precious');
  symlinkSync(target, link);
  for (const taken of [there, link]) {
    const line = `key log ${taken} cannot be made: it exists, and a key log overwrites nothing`;
    assertOneLine(await run(taken), line, 1);
  }
  assert.equal(existsSync(target), false);
  const fresh = join(path, 'fresh');
  assertOneLine(await run(fresh, path), `${path} exists and is no socket`, 1);
  assert.equal(existsSync(fresh), false);
});

test('checkpoints without a key, or under one that anybody can read', async (t) => {
  const section = 'wayward {\n  checkpoint {\n    enabled = yes\n  }\n}\n';
  const none = configured(t, connection() + section);
  assertOneLine(
    await wayward(t, none.words),
    'checkpoints need a key: set wayward.record_key, or give the credential wayward.record-key to the service',
    1,
  );
  const { file, words } = configured(t, `${connection()}${section}wayward {\n  record_key = record.key\n}\n`);
  const key = join(file, '..', 'record.key');
  writeFileSync(key, new Uint8Array(32), { mode: 0o644 });
  assertOneLine(await wayward(t, words), `record key ${key}: others can read it (chmod 600)`, 1);
});

test('SIGHUP while the daemon reads its configuration does not end it: it is read again', {
  skip: needsRoot,
}, async (t) => {
  const { file, words } = configured(t, '');
  rmSync(file);
  execFileSync('mkfifo', [file]);
  const daemon = new WaywardProcess(t, words, { within: ownNetwork });
  // Opened once somebody reads.
  const first = await open(file, 'w');
  daemon.signal('SIGHUP');
  await first.writeFile(connection());
  await first.close();
  await daemon.printed(/wayward is running/);
  const second = await open(file, 'w');
  await second.writeFile(connection());
  await second.close();
  await daemon.printed(/configuration reloaded/);
  daemon.signal('SIGTERM');
  assert.equal((await daemon.ended()).status, 0);
});

test('a state folder is made, but no folder above it', { skip: needsRoot }, async (t) => {
  const { file, words } = configured(t, connection());
  const path = join(file, '..');
  const run = (state: string): Promise<Ending> =>
    wayward(t, [...words, '--state', state], { within: ownNetwork });
  const deep = join(path, 'no', 'state');
  assertOneLine(await run(deep), `state folder ${deep}: there is no folder ${join(path, 'no')}`, 1);
  assert.equal(existsSync(join(path, 'no')), false);
  assertOneLine(await run(file), /ENOTDIR/, 1);
});

/** Words that run a daemon with a checkpoint whose state folder has no room. */
function onFullDisk(t: TestContext): {
  readonly path: string;
  readonly words: string[];
  readonly within: string[];
} {
  const checkpoint = 'wayward {\n  record_key = record.key\n  checkpoint {\n    enabled = yes\n  }\n}\n';
  const { file, words } = configured(t, `${connection()}${checkpoint}`);
  const path = dirname(file);
  writeFileSync(join(path, 'record.key'), new Uint8Array(32), { mode: 0o600 });
  const state = join(path, 'state');
  mkdirSync(state);
  const full = `mount -t tmpfs -o size=16k none ${state}; head -c 1M /dev/zero > ${state}/.full; exec "$@"`;
  const within = [...ownNetwork, '--mount', 'sh', '-c', full, 'sh'];
  return { path, words: [...words, '--state', state], within };
}

test('on a full disk there is no checkpoint, which is said, and the daemon runs', {
  skip: needsRoot,
}, async (t) => {
  const { path, words, within } = onFullDisk(t);
  const daemon = new WaywardProcess(t, words, { within });
  await daemon.printed(/wayward is running/);
  const problem = `${join(path, 'state')}: ENOSPC: no space left on device, write`;
  assert.match(
    daemon.out,
    new RegExp(` error no checkpoint is kept, nor gone on with, until the next start: ${problem}\n`),
  );
  const asked = await wayward(t, ['status', '--json', '--socket', join(path, 'control')]);
  assert.equal(asked.status, 0);
});

test('a start that fails while the disk is full ends, whatever else cannot be written', {
  skip: needsRoot,
}, async (t) => {
  const { path, words, within } = onFullDisk(t);
  mkdirSync(join(path, 'control'));
  const { status, err } = await wayward(t, words, { within });
  assert.match(err, /\nwayward: .*control exists and is no socket\n$/);
  assert.equal(status, 1);
});
