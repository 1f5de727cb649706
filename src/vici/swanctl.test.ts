// Debian's unmodified swanctl against our server: what it asks for, and that it understands what it gets.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ViciMessage } from '#wire';
import { ViciError } from './error.ts';
import { type ViciHandler, ViciServer } from './server.ts';
import { noSwanctl, swanctl } from './testing/swanctl.ts';
import { listenVici, type ViciListener } from './unix-socket.ts';

const success = { success: 'yes' };

const childSa = {
  name: 'net',
  uniqueid: '7',
  reqid: '3',
  state: 'INSTALLED',
  mode: 'TUNNEL',
  protocol: 'ESP',
  'spi-in': 'c0ffee01',
  'spi-out': 'c0ffee02',
  'encr-alg': 'AES_GCM_16',
  'encr-keysize': '128',
  'bytes-in': '0',
  'packets-in': '0',
  'bytes-out': '0',
  'packets-out': '0',
  'install-time': '1',
  'local-ts': ['10.1.0.0/24'],
  'remote-ts': ['10.2.0.0/24'],
};
const ikeSa = {
  uniqueid: '5',
  version: '2',
  state: 'ESTABLISHED',
  'local-host': '192.0.2.1',
  'local-port': '500',
  'local-id': 'us',
  'remote-host': '192.0.2.2',
  'remote-port': '500',
  'remote-id': 'them',
  initiator: 'yes',
  'initiator-spi': '0123456789abcdef',
  'responder-spi': 'fedcba9876543210',
  established: '1',
};

describe('swanctl and the server', { skip: noSwanctl }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-swanctl-'));
  const socket = join(folder, 'vici');
  const asked: [string, ViciMessage][] = [];
  let listener: ViciListener;
  let server: ViciServer;

  before(async () => {
    const answers: Record<string, ViciHandler> = {
      stats: () => ({
        uptime: { running: '5 minutes', since: 'today' },
        workers: { total: '1', idle: '0', active: { critical: '0', high: '0', medium: '1', low: '0' } },
        queues: { critical: '0', high: '0', medium: '0', low: '0' },
        scheduled: '0',
        ikesas: { total: '1', 'half-open': '0' },
        plugins: ['one', 'two'],
      }),
      'get-algorithms': () => ({ aead: { AES_GCM_16: 'ours' } }),
      'get-counters': () => ({ counters: { '': { 'ike-rekey-init': '3' } }, ...success }),
      'get-conns': () => ({ conns: ['old'] }),
      'get-pools': () => ({}),
      'get-authorities': () => ({ authorities: [] }),
      'get-keys': () => ({ keys: [] }),
      'get-shared': () => ({ keys: [] }),
      'list-conns': async (_request, call) => {
        const child = { mode: 'TUNNEL', 'local-ts': ['10.1.0.0/24'], 'remote-ts': ['10.2.0.0/24'] };
        const addresses = { local_addrs: ['192.0.2.1'], remote_addrs: ['192.0.2.2'] };
        await call.send('list-conn', { net: { ...addresses, version: 'IKEv2', children: { net: child } } });
        return {};
      },
      'list-sas': async (_request, call) => {
        await call.send('list-sa', { net: { ...ikeSa, 'child-sas': { 'net-7': childSa } } });
        return {};
      },
      initiate: async (request, call) => {
        await call.send('control-log', { group: 'IKE', level: '1', msg: 'on its way' });
        if (request['child'] !== 'net') throw new ViciError('failed', 'no such child');
        return success;
      },
      terminate: () => ({ ...success, matches: '1', terminated: '1' }),
      rekey: () => ({ ...success, matches: '1' }),
    };
    const commands = new Map<string, ViciHandler>();
    const loading = ['load-conn', 'load-shared', 'load-key', 'load-cert', 'load-pool', 'load-authority'];
    for (const name of [...Object.keys(answers), ...loading, 'unload-conn', 'unload-shared']) {
      commands.set(name, (request, call) => {
        asked.push([name, request]);
        return answers[name]?.(request, call) ?? success;
      });
    }
    server = new ViciServer({
      commands,
      events: [
        'list-conn',
        'list-sa',
        'control-log',
        'log',
        'ike-updown',
        'ike-rekey',
        'ike-update',
        'child-updown',
        'child-rekey',
      ],
    });
    listener = await listenVici(socket, server);
  });

  after(async () => {
    await listener.close();
    rmSync(folder, { recursive: true });
  });

  test('--stats, --list-conns, --list-sas, --list-algs and --counters show what they get', async () => {
    for (const [word, expected] of [
      ['--stats', /uptime: 5 minutes, since today[\s\S]*IKE_SAs: 1 total[\s\S]*one two/],
      ['--list-conns', /net: IKEv2[\s\S]*local: {2}192\.0\.2\.1[\s\S]*net: TUNNEL/],
      ['--list-sas', /net: #5, ESTABLISHED, IKEv2, 0123456789abcdef_i\*[\s\S]*net: #7, reqid 3, INSTALLED/],
      ['--list-algs', /aead:\s*AES_GCM_16\[ours\]/],
      ['--counters', /ike-rekey-init +: 3/],
    ] as const) {
      const { status, output } = await swanctl(socket, [word]);
      assert.equal(status, 0, output);
      assert.match(output, expected);
    }
  });

  test('--initiate, --terminate and --rekey succeed and fail as told', async () => {
    const good = await swanctl(socket, ['--initiate', '--child', 'net']);
    assert.deepEqual([good.status, /\[IKE\] on its way[\s\S]*successfully/.test(good.output)], [0, true]);
    const bad = await swanctl(socket, ['--initiate', '--child', 'other']);
    assert.notEqual(bad.status, 0);
    assert.match(bad.output, /no such child/);
    assert.equal((await swanctl(socket, ['--terminate', '--ike', 'net'])).status, 0);
    assert.equal((await swanctl(socket, ['--rekey', '--child', 'net'])).status, 0);
    assert.deepEqual(asked.at(-1), ['rekey', { child: 'net' }]);
  });

  test('--load-all brings secrets and connections, and unloads what is gone', async () => {
    const file = join(folder, 'swanctl.conf');
    mkdirSync(join(folder, 'x509'), { recursive: true });
    writeFileSync(
      file,
      `connections { net { version = 2
 local { auth = psk
 }
 remote { auth = psk
 }
 children { net { local_ts = 10.1.0.0/24, 10.3.0.0/24
 } } } }
secrets { ike-a { id = them
 secret = 0x00ff10
 } }
`,
    );
    const { status, output } = await swanctl(socket, ['--load-all', '--file', file]);
    assert.equal(status, 0, output);
    const messageOf = (name: string): ViciMessage | undefined =>
      asked.find(([command]) => command === name)?.[1];
    assert.deepEqual(messageOf('load-conn'), {
      net: {
        version: '2',
        local: { auth: 'psk' },
        remote: { auth: 'psk' },
        children: { net: { local_ts: ['10.1.0.0/24', '10.3.0.0/24'] } },
      },
    });
    assert.deepEqual(messageOf('load-shared')?.['data'], Uint8Array.of(0, 0xff, 0x10));
    assert.deepEqual(messageOf('unload-conn'), { name: 'old' });
  });

  test('--monitor-sa and --log follow events until interrupted', async () => {
    for (const [word, event, message, expected] of [
      [
        '--monitor-sa',
        'child-updown',
        { up: 'yes', net: { ...ikeSa, 'child-sas': { 'net-7': childSa } } },
        /net: #7/,
      ],
      [
        '--log',
        'log',
        { group: 'IKE', level: '1', thread: '1', msg: 'something happened' },
        /something happened/,
      ],
    ] as const) {
      const ended = swanctl(socket, [word], { until: expected });
      while (!server.isAwaited(event)) await sleep(25);
      server.raise(event, message);
      const { status, output } = await ended;
      assert.equal(status, 0);
      assert.match(output, expected);
    }
  });
});
