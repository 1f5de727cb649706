import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { folder, needsRoot, wayward, waywardCommand } from '../testing/wayward-process.ts';
import type { Check } from './check.ts';
import { doctorText, examine, isWell, type Surroundings } from './doctor.ts';
import { thisMachine } from './machine.ts';
import { type FakeMachine, fakeMachine, healthy, privileged } from './testing/fake-machine.ts';

const around: Surroundings = {
  configurationPath: '/etc/swanctl/swanctl.conf',
  statePath: '/var/lib/wayward',
  configuration: {
    loaded: true,
    connections: 2,
    secrets: 1,
    warnings: [],
    ports: [500, 4500],
    checkpoint: false,
    packetThreads: 1,
  },
  neighbours: [],
  fastPath: true,
};

/** What is said about one thing, on the healthy machine with some files otherwise. */
function about(
  name: string,
  changed: FakeMachine['files'] = {},
  rest: Omit<FakeMachine, 'files'> & { readonly around?: Partial<Surroundings> } = {},
): Check {
  const files = { ...healthy, ...changed };
  const checks = examine(fakeMachine({ ...rest, files }), { ...around, ...rest.around });
  const found = checks.find((one) => one.name === name);
  if (found === undefined) throw new Error(`nothing is said about ${name}`);
  return found;
}

const socket = (port: string, uid: number, inode: number): string =>
  `sl local_address rem_address st queues timer retrnsmt uid timeout inode\n 7: 00000000:${port} 00000000:0000 07 00000000:00000000 00:00000000 00000000 ${uid} 0 ${inode} 2 0 0\n`;

describe('the doctor', () => {
  test('has nothing to say against a healthy gateway', () => {
    const checks = examine(fakeMachine(), around);
    assert.deepEqual(
      checks.filter(({ verdict }) => verdict !== 'ok'),
      [],
    );
    assert.equal(isWell(checks), true);
    assert.equal(checks.length, 19);
    assert.ok(doctorText(checks).every((line) => !line.includes('\n')));
  });

  test('names each thing once, and has a remedy for every problem', () => {
    const bare = examine(fakeMachine({ files: {}, nodeVersion: '18.0.0' }), {
      ...around,
      configuration: { loaded: false, errors: ['swanctl.conf:1:1: no', 'more'] },
    });
    assert.equal(new Set(bare.map(({ name }) => name)).size, bare.length);
    assert.equal(isWell(bare), false);
    for (const { name, verdict, remedy } of bare) {
      if (verdict === 'problem') assert.ok(remedy !== undefined, name);
    }
  });

  test('tells a container from a user without privileges', () => {
    const container = { '/proc/self/status': 'CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n' };
    const caged = about('privileges', container);
    assert.equal(caged.verdict, 'problem');
    assert.match(caged.found, /nobody here can have CAP_NET_ADMIN$/);
    assert.match(caged.remedy ?? '', /--cap-add=NET_ADMIN$/);

    const files = {
      '/proc/self/status': privileged.replace('CapEff:\t000001ffffffffff', 'CapEff:\t0000000000000000'),
    };
    const user = about('privileges', files, { uid: 1000 });
    assert.equal(user.verdict, 'note');
    assert.match(user.found, /user 1000 lacks CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE/);
    assert.equal(about('privileges', files).verdict, 'problem');
  });

  test('finds who holds a port, and says so where it may not look', () => {
    const held = {
      '/proc/net/udp': socket('01F4', 0, 4711),
      '/proc/77/comm': 'charon-systemd\n',
      '/proc/77/cmdline': '/usr/sbin/charon-systemd\0',
      '/proc/77/fd/9': { link: 'socket:[4711]' },
    };
    const charon = about('port-500', held);
    assert.equal(charon.verdict, 'problem');
    assert.equal(charon.found, 'UDP 500 is held by charon-systemd, process 77');
    assert.equal(about('port-4500', held).verdict, 'ok');

    const hidden = about('port-500', { ...held, '/proc/77/fd': { code: 'EACCES' } }, { uid: 1000 });
    assert.equal(hidden.verdict, 'unseen');
    assert.match(hidden.found, /a process of user 0 that this user cannot see/);

    // As it is installed, and from a clone.
    for (const program of ['/usr/local/bin/wayward', '/src/dist/bundle/main.js']) {
      const ours = about('port-500', {
        ...held,
        '/proc/77/cmdline': `/usr/bin/node\0${program}\0run\0`,
      });
      assert.deepEqual([ours.verdict, ours.found], ['ok', 'UDP 500 is held by wayward, process 77']);
    }

    const moved = { configuration: { ...around.configuration, ports: [1500, 4500] } as const };
    assert.equal(about('port-1500', held, { around: moved }).verdict, 'ok');
    const six = { ...held, '/proc/net/udp': 'sl\n', '/proc/net/udp6': held['/proc/net/udp'] };
    assert.equal(about('port-500', six).verdict, 'problem');
  });

  test('knows three ways in which a kernel has a driver, and one in which it has none', () => {
    const kernel = {
      '/proc/misc': '',
      '/sys/module/esp4': { code: 'ENOENT' },
      '/proc/sys/kernel/osrelease': '6.1.0\n',
    };
    assert.equal(about('tun', kernel).verdict, 'note');
    const modules = {
      ...kernel,
      '/lib/modules/6.1.0/modules.dep': 'kernel/net/ipv4/esp4.ko.xz:\nkernel/drivers/net/tun.ko:\n',
    };
    assert.match(about('tun', modules).found, /on demand/);
    assert.match(about('kernel-esp', modules).found, /on demand/);
    const builtin = { ...kernel, '/lib/modules/6.1.0/modules.builtin': 'kernel/net/ipv4/esp4.ko\n' };
    assert.match(about('kernel-esp', builtin).found, /XFRM and ESP/);
    const configured = { ...kernel, '/proc/config.gz': 'CONFIG_TUN=y\n# CONFIG_INET_ESP is not set\n' };
    assert.equal(about('tun', configured).verdict, 'ok');
    assert.match(about('kernel-esp', configured).found, /without ESP/);
    const without = { ...kernel, '/proc/config.gz': '# CONFIG_TUN is not set\n' };
    assert.equal(about('tun', without).verdict, 'problem');
    assert.match(about('kernel-esp', { '/proc/net/xfrm_stat': { code: 'ENOENT' } }).found, /no XFRM/);
    assert.match(about('tun', { '/dev/net/tun': { code: 'ENOENT' } }).remedy ?? '', /modprobe tun/);
  });

  test('looks at the sysctls that let packets pass', () => {
    assert.equal(about('forwarding-ipv4', { '/proc/sys/net/ipv4/ip_forward': '0\n' }).verdict, 'note');
    const conf = '/proc/sys/net/ipv4/conf';
    const strict = about('rp-filter', { [`${conf}/all/rp_filter`]: '1\n', [`${conf}/lan/rp_filter`]: '0\n' });
    assert.equal(strict.verdict, 'note');
    // The larger of both values holds: eth0 is loose, whatever `all` says.
    assert.match(strict.found, /^strict on lan:/);
    assert.match(about('ipv6', { '/proc/net/if_inet6': { code: 'ENOENT' } }).found, /no IPv6/);
  });

  test('does not trust a clock from before its own time, nor a machine without randomness', () => {
    assert.equal(about('clock', {}, { now: '1970-01-01T00:01:00Z' }).verdict, 'problem');
    assert.match(about('clock').found, /synchronised/);
    assert.equal(about('entropy', { '/proc/sys/kernel/random/entropy_avail': '12\n' }).verdict, 'problem');
  });

  test('finds secrets that everybody can read, and says what it could not look at', () => {
    const conf = { '/etc/swanctl/swanctl.conf': { text: 'x', facts: { mode: 0o644 } } };
    const open = about('secrets', conf);
    assert.deepEqual([open.verdict, open.remedy], ['problem', 'chmod o= /etc/swanctl/swanctl.conf']);
    const none = { configuration: { ...around.configuration, secrets: 0 } as const };
    assert.equal(about('secrets', conf, { around: none }).verdict, 'ok');
    const key = { '/etc/swanctl/private/own.pem': { facts: { mode: 0o644 } } };
    assert.match(about('secrets', key).found, /private\/own\.pem/);
    assert.equal(about('secrets', { '/etc/swanctl/private': { code: 'EACCES' } }).verdict, 'unseen');
    assert.equal(
      about('state-folder', { '/var/lib/wayward': { facts: { mode: 0o755 } } }).verdict,
      'problem',
    );
    assert.equal(about('state-folder', {}, { around: { statePath: '/srv/none/state' } }).verdict, 'problem');
  });

  test('looks at the record key without reading it', () => {
    const keyed = {
      around: { configuration: { ...around.configuration, recordKeyPath: 'record.key' } as const },
    };
    const path = '/etc/swanctl/record.key';
    const said = (file: FakeMachine['files']): Check => about('record-key', file, keyed);
    assert.match(said({}).remedy ?? '', /head -c 32/);
    assert.equal(said({ [path]: { facts: { sizeBytes: 32, mode: 0o600 } } }).verdict, 'ok');
    assert.match(said({ [path]: { facts: { sizeBytes: 32, mode: 0o640 } } }).remedy ?? '', /chmod 600/);
    assert.match(said({ [path]: { facts: { sizeBytes: 31, mode: 0o600 } } }).found, /31 octets/);
    const checkpoint = { configuration: { ...around.configuration, checkpoint: true } as const };
    assert.equal(about('record-key', {}, { around: checkpoint }).verdict, 'note');
  });

  test('hints at a packet filter that drops by default and says nothing of IKE', () => {
    const netfilter = { '/proc/sys/net/netfilter/nf_log': '' };
    const chain = { family: 'inet', table: 'filter', name: 'input', hook: 'input', policy: 'drop' };
    const nft = (...rules: unknown[]): FakeMachine['programs'] & object => ({
      nft: JSON.stringify({ nftables: [{ chain }, ...rules.map((rule) => ({ rule }))] }),
    });
    assert.equal(about('firewall').found, 'no packet filter is loaded');
    const closed = about('firewall', netfilter, { programs: nft({ expr: [{ accept: null }] }) });
    assert.equal(closed.verdict, 'note');
    assert.match(closed.found, /inet filter input drops by default, and no rule names UDP 500 or 4500/);
    const opened = nft({ expr: [{ match: { right: { set: [500, 4500] } } }] });
    assert.equal(about('firewall', netfilter, { programs: opened }).verdict, 'ok');
    assert.equal(about('firewall', netfilter, { programs: { nft: 'no JSON' } }).verdict, 'unseen');
    assert.equal(about('firewall', { '/proc/net/ip_tables_names': 'filter\n' }).verdict, 'note');
  });

  test('counts processors for several packet threads, and says nothing of a single one', () => {
    const said = (packetThreads: number, processors: number): Check[] => {
      const several = { configuration: { ...around.configuration, packetThreads } };
      const checks = examine(fakeMachine({ processors }), { ...around, ...several });
      return checks.filter(({ name }) => name === 'packet-threads');
    };
    assert.deepEqual(said(1, 1), []);
    assert.deepEqual(said(4, 4), [
      { name: 'packet-threads', verdict: 'ok', found: '4 packet threads on 4 processors' },
    ]);
    assert.deepEqual(said(4, 3), [
      {
        name: 'packet-threads',
        verdict: 'note',
        found: '4 packet threads on 3 processors: some wait for others',
        remedy: 'lower wayward.packet_threads to at most 3',
      },
    ]);
  });

  test('names other keying daemons and what that means', () => {
    const pluto = about('other-daemons', {}, { around: { neighbours: [{ name: 'pluto', pid: 12 }] } });
    assert.match(pluto.found, /pluto \(process 12\).*not answered/);
  });
});

const unshare = '/usr/bin/unshare';

/** What a look at it must not change. */
const traces =
  'ip link; ip rule; ip -6 rule; nft list ruleset; sysctl -a 2>/dev/null | grep ^net | grep -v hash_seed; ls /sys/module';

test('on a real machine it finds a held port and an open secret, and changes nothing', {
  skip: needsRoot,
}, async (t) => {
  const place = folder(t);
  const configuration = join(place, 'swanctl.conf');
  writeFileSync(configuration, 'secrets {\n ike { secret = x\n }\n}\nwayward {\n packet_threads = 16\n}\n');
  chmodSync(configuration, 0o644);
  mkdirSync(join(place, 'state'), { mode: 0o755 });
  const words = ['doctor', '--json', '--config', configuration, '--state', join(place, 'state')];
  // The shell holds the port, in a network of its own, and looks before and after.
  const script = `exec 2>&1; socat UDP4-LISTEN:4500 - >/dev/null & sleep 1; (${traces}) >${place}/before; "$@" >${place}/said; echo $? >${place}/status; (${traces}) >${place}/after; kill $!`;
  execFileSync(unshare, ['--net', 'sh', '-c', script, 'sh', process.execPath, waywardCommand, ...words]);
  const read = (name: string): string => execFileSync('cat', [join(place, name)], { encoding: 'utf8' });
  assert.equal(read('after'), read('before'));
  assert.equal(read('status'), '1\n');
  const { ok, checks } = JSON.parse(read('said')) as { ok: boolean; checks: Check[] };
  assert.equal(ok, false);
  const verdicts = new Map(checks.map(({ name, verdict }) => [name, verdict]));
  assert.match(checks.find(({ name }) => name === 'port-4500')?.found ?? '', /held by socat, process \d+/);
  assert.match(
    checks.find(({ name }) => name === 'packet-threads')?.found ?? '',
    new RegExp(`^16 packet threads on ${thisMachine.processors} processor`),
  );
  assert.equal(verdicts.get('port-500'), 'ok');
  assert.equal(verdicts.get('secrets'), 'problem');
  assert.equal(verdicts.get('state-folder'), 'problem');
  assert.equal(verdicts.get('tun'), 'ok');
});

test('an ordinary user is told what could not be seen', { skip: needsRoot }, async (t) => {
  const place = folder(t);
  chmodSync(place, 0o755);
  writeFileSync(join(place, 'swanctl.conf'), '');
  mkdirSync(join(place, 'private'), { mode: 0o700 });
  const words = ['doctor', '--config', join(place, 'swanctl.conf'), '--state', join(place, 'state')];
  const within = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const { out, err } = await wayward(t, words, { within });
  assert.equal(err, '');
  assert.match(out, /^note {4}privileges +user 65534 lacks CAP_NET_ADMIN/m);
  assert.match(out, /^unseen {2}secrets .* cannot be read \(EACCES\) -> look again as root$/m);
});
