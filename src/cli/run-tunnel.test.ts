import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { configurationOf, machines, sharedSecret, TwoHosts } from './testing/two-hosts.ts';
import { eventually, needsRoot } from './testing/wayward-process.ts';

/** The forms in which somebody might print octets without noticing. */
function spellings(octets: Buffer): string[] {
  const bytes = [...octets];
  return [
    octets.toString('hex'),
    octets.toString('hex').toUpperCase(),
    octets.toString('base64').replace(/=+$/, ''),
    octets.toString('base64url'),
    bytes.join(','),
    bytes.join(', '),
    bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':'),
    bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    JSON.stringify(new Uint8Array(octets)).slice(1, -1),
  ];
}

/** All keys of a key log: hexadecimal fields of 8 octets and more that are no SPI of an IKE SA. */
function keysOf(keyLog: string): Buffer[] {
  return keyLog.split('\n').flatMap((line) => {
    const fields = line.replace(/^\S+ /, '').split(',');
    const candidates = line.startsWith('ikev2') ? fields.slice(2) : fields.slice(4);
    return candidates.flatMap((field) => {
      const hex = /^"?(?:0x)?((?:[0-9a-f]{2}){16,})"?$/.exec(field)?.[1];
      return hex === undefined ? [] : [Buffer.from(hex, 'hex')];
    });
  });
}

test('given two daemons, a tunnel carries pings through rekeyings, and no key octet is ever printed', {
  skip: needsRoot,
}, async (t) => {
  const hosts = new TwoHosts(t);
  hosts.configure('left', configurationOf('left'));
  hosts.configure('right', configurationOf('right'));
  const keyLogs = { left: join(hosts.folder, 'left.keys'), right: join(hosts.folder, 'right.keys') };
  const right = await hosts.start('right', '--keylog', keyLogs.right);
  const left = await hosts.start('left', '--keylog', keyLogs.left);
  const printed: string[] = [];
  const command = async (...words: string[]): Promise<string> => {
    const { status, out, err } = await hosts.command('left', ...words);
    assert.equal(err, '');
    assert.equal(status, 0);
    printed.push(out);
    return out;
  };
  const ping = (): void => hosts.pingWithoutLoss('left', 3, machines.left.inner, machines.right.inner);

  assert.equal(await command('up', 'net'), 'net is up\n');
  assert.equal(await command('up', 'net'), 'net is up\n');
  ping();
  await command('rekey', 'net');
  await left.printed(/Child SA rekeyed/);
  ping();
  await command('rekey', 'peer', '--ike');
  await left.printed(/IKE SA rekeyed/);
  ping();
  // Counters are told once a second.
  const status = await eventually(async () => {
    const seen = JSON.parse(await command('status', '--json'));
    return seen.counters.some(({ counters }: { counters: { packets: number } }) => counters.packets > 0)
      ? seen
      : undefined;
  });
  assert.equal(status.engine.ikeSas.at(-1).remoteIdentity, machines.right.identity);
  assert.match(await command('status'), /net: #1\.1, tunnel, aes128gcm16\n/);
  assert.equal(await command('down', 'net'), 'net is down\n');
  assert.equal(await command('down', 'peer'), 'peer is down\n');

  for (const path of Object.values(keyLogs)) assert.equal(statSync(path).mode & 0o777, 0o600);
  const keys = keysOf(readFileSync(keyLogs.left, 'utf8'));
  assert.deepEqual(keysOf(readFileSync(keyLogs.right, 'utf8')).map(String).sort(), keys.map(String).sort());
  // Two IKE SAs and two generations of a Child SA, each with a key per direction.
  assert.ok(keys.length >= 8, `${keys.length} keys`);
  const everything = [left.out, left.err, right.out, right.err, ...printed].join('\n');
  assert.ok(everything.length > 2_000);
  for (const secret of [...keys, Buffer.from(sharedSecret)]) {
    for (const spelling of [...spellings(secret), secret.toString('latin1')]) {
      assert.equal(everything.includes(spelling), false, 'a key was printed');
    }
  }
});

test('SIGTERM deletes the SAs at the peer too, and leaves no route, address, rule or socket', {
  skip: needsRoot,
}, async (t) => {
  const hosts = new TwoHosts(t);
  const pool = 'pools {\n  inside {\n    addrs = 10.83.0.0/24\n    dns = 10.82.0.53\n  }\n}';
  const script = (side: string): string =>
    `updown = "env | grep ^PLUTO_ | sort > ${hosts.folder}/${side}.$PLUTO_VERB; echo $PLUTO_VERB is done"`;
  hosts.configure(
    'left',
    configurationOf('left', { connection: 'vips = 0.0.0.0', child: `local_ts = dynamic\n${script('left')}` }),
  );
  hosts.configure(
    'right',
    configurationOf('right', {
      connection: 'pools = inside',
      child: `remote_ts = dynamic\n${script('right')}`,
      top: pool,
    }),
  );
  const right = await hosts.start('right');
  const left = await hosts.start('left');
  assert.equal((await hosts.command('left', 'up', 'net')).err, '');
  await left.printed(/updown: up-client is done/);
  await right.printed(/updown: up-client is done/);

  assert.match(
    hosts.run('left', 'ip', 'route', 'show', 'table', '220'),
    /^10\.82\.0\.0\/24 dev wayward0 .*src 10\.83\.0\.1/m,
  );
  assert.match(hosts.run('left', 'ip', 'address', 'show', 'dev', 'wayward0'), /inet 10\.83\.0\.1\/32/);
  assert.match(hosts.run('left', 'ip', 'rule'), /220:\tnot from all fwmark 0x776179 lookup 220/);
  assert.match(hosts.run('right', 'ip', 'route', 'show', 'table', '220'), /^10\.83\.0\.1 dev wayward0/m);
  assert.match(hosts.run('left', 'ping', '-c', '1', '-W', '60', machines.right.inner), / 0% packet loss/);

  const variables = (name: string): Record<string, string> =>
    Object.fromEntries(
      readFileSync(join(hosts.folder, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split('=') as [string, string]),
    );
  const expected = {
    PLUTO_CONNECTION: 'net',
    PLUTO_DNS4_1: '10.82.0.53',
    PLUTO_INTERFACE: 'wayward0',
    PLUTO_ME: machines.left.outer,
    PLUTO_MY_CLIENT: '10.83.0.1/32',
    PLUTO_MY_ID: machines.left.identity,
    PLUTO_MY_PORT: '0',
    PLUTO_MY_PROTOCOL: '0',
    PLUTO_MY_SOURCEIP: '10.83.0.1',
    PLUTO_MY_SOURCEIP4_1: '10.83.0.1',
    PLUTO_PEER: machines.right.outer,
    PLUTO_PEER_CLIENT: machines.right.network,
    PLUTO_PEER_ID: machines.right.identity,
    PLUTO_PEER_PORT: '0',
    PLUTO_PEER_PROTOCOL: '0',
    PLUTO_PROTO: 'esp',
    PLUTO_REQID: '1',
    PLUTO_UNIQUEID: '1',
    PLUTO_VERSION: '1.1',
  };
  assert.deepEqual(variables('left.up-client'), { ...expected, PLUTO_VERB: 'up-client' });
  assert.equal(variables('right.up-client')['PLUTO_PEER_SOURCEIP'], '10.83.0.1');
  assert.equal(variables('right.up-client')['PLUTO_PEER_SOURCEIP4_1'], '10.83.0.1');

  left.signal('SIGTERM');
  const ending = await left.ended();
  assert.equal(ending.status, 0);
  assert.equal(ending.err, '');
  assert.deepEqual(variables('left.down-client'), { ...expected, PLUTO_VERB: 'down-client' });
  await right.printed(/IKE SA ended: .*(deleted|peer)/);
  await right.printed(/updown: down-client is done/);
  const status = JSON.parse((await hosts.command('right', 'status', '--json')).out);
  assert.deepEqual(status.engine.ikeSas, []);
  const [{ name, size, online, offline }] = status.engine.pools;
  assert.deepEqual({ name, size, online, offline }, { name: 'inside', size: 254, online: 0, offline: 1 });
  assert.equal(hosts.run('right', 'ip', 'route', 'show', 'table', '220'), '');
  assert.doesNotMatch(hosts.run('left', 'ip', 'rule'), /220/);
  assert.doesNotMatch(hosts.run('left', 'ip', 'link'), /wayward0/);
});

for (const threads of [1, 3]) {
  test(`the first packet to a trapped network brings its tunnel up and is not lost, and the trap outlives it: ${threads} packet threads`, {
    skip: needsRoot,
  }, async (t) => {
    const hosts = new TwoHosts(t);
    const host = `packet_threads = ${threads}`;
    hosts.configure('left', configurationOf('left', { child: 'start_action = trap', host }));
    // Its routes stand before the tunnel does, so that the answer to the first packet has its way back.
    hosts.configure('right', configurationOf('right', { child: 'start_action = trap', host }));
    await hosts.start('right');
    const left = await hosts.start('left');
    const route = (): string => hosts.run('left', 'ip', 'route', 'show', 'table', '220');
    const ping = ['-c', '1', '-W', '60', '-I', machines.left.inner, machines.right.inner];
    assert.match(route(), /^10\.82\.0\.0\/24 dev wayward0 .*src 10\.81\.0\.1/);
    assert.match(hosts.run('left', 'ping', ...ping), / 0% packet loss/);
    await left.printed(/Child SA established net/);

    assert.equal((await hosts.command('left', 'down', 'peer')).status, 0);
    assert.match(route(), /^10\.82\.0\.0\/24 dev wayward0/);
    assert.match(hosts.run('left', 'ping', ...ping), / 0% packet loss/);

    hosts.configure('left', configurationOf('left', { host }));
    assert.equal((await hosts.command('left', 'reload')).status, 0);
    assert.equal((await hosts.command('left', 'down', 'peer')).status, 0);
    assert.equal(route(), '');
  });
}

test('up and down answer when routes stand and scripts have run', { skip: needsRoot }, async (t) => {
  const hosts = new TwoHosts(t);
  const script = `updown = "sleep 0.5; touch ${hosts.folder}/$PLUTO_VERB"`;
  hosts.configure('left', configurationOf('left', { child: script }));
  hosts.configure('right', configurationOf('right'));
  await hosts.start('right');
  await hosts.start('left');
  assert.equal((await hosts.command('left', 'up', 'net')).status, 0);
  assert.ok(existsSync(join(hosts.folder, 'up-client')));
  assert.equal((await hosts.command('left', 'down', 'peer')).status, 0);
  assert.ok(existsSync(join(hosts.folder, 'down-client')));
});

test('SIGHUP loads what changed; a file with errors changes nothing and is named in the log', {
  skip: needsRoot,
}, async (t) => {
  const hosts = new TwoHosts(t);
  hosts.configure('left', configurationOf('left'));
  hosts.configure('right', configurationOf('right'));
  const left = await hosts.start('left');
  await hosts.start('right');
  assert.equal((await hosts.command('left', 'up', 'net')).err, '');

  hosts.configure('left', configurationOf('left', { child: 'start_acton = start' }));
  left.signal('SIGHUP');
  await left.printed(
    new RegExp(`error ${hosts.configurationPath('left')}:\\d+:9: unknown option "start_acton"`),
  );
  await left.printed(/the old configuration stays/);
  const reload = await hosts.command('left', 'reload');
  assert.match(
    reload.err,
    /^wayward: [^\n]*left\.conf:\d+:9: unknown option "start_acton"[^\n]*; the old configuration stays\n$/,
  );
  assert.equal(reload.status, 1);
  assert.equal((await hosts.command('left', 'down', 'peer')).status, 0);
  assert.equal((await hosts.command('left', 'up', 'net')).err, '');

  const second =
    'remote_ts = 10.82.0.0/25\n      }\n      second {\n        local_ts = 10.81.0.0/24\n        remote_ts = 10.82.0.128/25';
  hosts.configure(
    'left',
    configurationOf('left', { child: second, host: 'port = 501\n  tun_mtu = 1300\n  packet_threads = 2' }),
  );
  left.signal('SIGHUP');
  await left.printed(/warn {2}wayward.port changes at the next start/);
  await left.printed(/warn {2}wayward.tun_mtu changes at the next start/);
  await left.printed(/warn {2}wayward.packet_threads changes at the next start/);
  await left.printed(/configuration reloaded, 1 connections loaded/);
  const again = left.out.length;
  assert.equal((await hosts.command('left', 'reload')).out, 'reloaded\n');
  await left.printed(new RegExp(`^[^]{${again},}configuration reloaded`));
  assert.equal((await hosts.command('left', 'up', 'second')).err, '');
  const status = JSON.parse((await hosts.command('left', 'status', '--json')).out);
  const names = status.engine.ikeSas.flatMap(({ children }: { children: { name: string }[] }) =>
    children.map(({ name }) => name),
  );
  assert.deepEqual(names.sort(), ['net', 'second']);
});

test('a persistent connection follows a reload to its new address', { skip: needsRoot }, async (t) => {
  const hosts = new TwoHosts(t);
  const at = (address: string): string =>
    configurationOf('left', { connection: `remote_addrs = ${address}`, child: 'start_action = start' });
  hosts.configure('left', at('192.0.2.9'));
  hosts.configure('right', configurationOf('right'));
  await hosts.start('right');
  const left = await hosts.start('left');
  await left.printed(/connecting to 192\.0\.2\.9/);
  hosts.configure('left', at(machines.right.outer));
  left.signal('SIGHUP');
  await left.printed(/Child SA established net/);
});

test('a host name is looked up again at each try', { skip: needsRoot }, async (t) => {
  const hosts = new TwoHosts(t);
  // Each namespace may have files of its own instead of those in /etc.
  hosts.configure(
    'left',
    configurationOf('left', { connection: 'remote_addrs = peer.invalid', child: 'start_action = start' }),
  );
  hosts.configure('right', configurationOf('right'));
  await hosts.start('right');
  hosts.names('left', {});
  const left = await hosts.start('left');
  await left.printed(
    /not connected: the name peer\.invalid cannot be looked up \(ENOTFOUND\); next try in 1 s/,
  );
  hosts.names('left', { 'peer.invalid': machines.right.outer });
  await left.printed(/Child SA established net/);
});

test('when the tunnel device is taken away, the daemon says so and fails', { skip: needsRoot }, async (t) => {
  const hosts = new TwoHosts(t);
  hosts.configure('left', configurationOf('left'));
  const left = await hosts.start('left');
  hosts.run('left', 'ip', 'link', 'delete', 'wayward0');
  const { status, out } = await left.ended();
  assert.match(out, /error the packet thread died: read: EBADFD \(wayward0\)/);
  assert.equal(status, 1);
});
