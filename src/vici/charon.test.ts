// The client against Debian's charon: configuration, initiation with its log, listings, events, refusals.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ViciMessage } from '#wire';
import type { ViciClient } from './client.ts';
import { Charon, NamespacePair, noCharon } from './testing/charon.ts';
import { connectVici } from './unix-socket.ts';

const secret = 'interop-psk';

function connection(own: string, peer: string): { readonly [name: string]: ViciMessage } {
  const [n, m] = own === 'left' ? [1, 2] : [2, 1];
  return {
    net: {
      version: '2',
      local_addrs: [`10.99.0.${n}`],
      remote_addrs: [`10.99.0.${m}`],
      proposals: ['aes128gcm16-prfsha256-x25519'],
      encap: 'yes',
      local: { auth: 'psk', id: `${own}.example` },
      remote: { auth: 'psk', id: `${peer}.example` },
      children: {
        net: {
          local_ts: [`10.${n}.0.0/24`],
          remote_ts: [`10.${m}.0.0/24`],
          esp_proposals: ['aes128gcm16'],
        },
      },
    },
  };
}

describe('the client and charon', { skip: noCharon }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-charon-'));
  let namespaces: NamespacePair | undefined;
  const charons: Charon[] = [];
  let left: ViciClient;
  let right: ViciClient;

  before(async () => {
    namespaces = new NamespacePair('client');
    charons.push(await Charon.start(join(folder, 'left'), namespaces.left));
    charons.push(await Charon.start(join(folder, 'right'), namespaces.right));
    left = await connectVici(charons[0]!.socket);
    right = await connectVici(charons[1]!.socket);
  });

  after(async () => {
    left?.close();
    right?.close();
    for (const charon of charons) await charon.stop();
    namespaces?.remove();
    rmSync(folder, { recursive: true });
  });

  test('version and statistics', async () => {
    const version = await left.request('version');
    assert.match(version.daemon, /^charon/);
    assert.match(version.version, /^\d+\.\d+/);
    const stats = await left.request('stats');
    assert.deepEqual(stats['ikesas'], { total: '0', 'half-open': '0' });
    const algorithms = await left.request('get-algorithms');
    assert.equal(typeof algorithms['aead']?.['AES_GCM_16'], 'string');
  });

  test('secrets and connections are loaded and listed', async () => {
    for (const [client, own, peer] of [
      [left, 'left', 'right'],
      [right, 'right', 'left'],
    ] as const) {
      const owners = [`${own}.example`, `${peer}.example`];
      assert.equal(
        (await client.request('load-shared', { type: 'IKE', data: secret, owners })).success,
        'yes',
      );
      assert.equal((await client.request('load-conn', connection(own, peer))).success, 'yes');
    }
    assert.deepEqual((await left.request('get-conns')).conns, ['net']);
    const names: string[] = [];
    for await (const event of left.stream('list-conns')) {
      names.push(...Object.keys(event));
      assert.deepEqual(event['net']?.children['net']?.['local-ts'], ['10.1.0.0/24']);
    }
    assert.deepEqual(names, ['net']);
  });

  test('refusals carry their reason', async () => {
    await assert.rejects(left.request('load-conn', { bad: { proposals: ['nonsense'] } }), {
      code: 'failed',
      message: /invalid value for: proposals/,
    });
    await assert.rejects(left.request('no-such-command'), { code: 'unknown-command' });
    await assert.rejects(left.events('alert'), { code: 'unknown-event' });
    const stream = left.stream('initiate', { child: 'nothing' });
    await assert.rejects(stream.next(), { code: 'failed', message: /'nothing' not found/ });
  });

  test('initiation with its log, events of both ends, listing, rekeying, termination', async () => {
    const watcher = await connectVici(charons[1]!.socket);
    const events = await watcher.events('ike-updown', 'child-updown', 'child-rekey');
    const messages: string[] = [];
    for await (const line of left.stream('initiate', { child: 'net', timeout: '60000' }))
      messages.push(line.msg);
    assert.ok(messages.some((msg) => /CHILD_SA net\{\d+\} established/.test(msg)));

    const sas = [];
    for await (const event of left.stream('list-sas')) sas.push(event['net']!);
    assert.equal(sas.length, 1);
    assert.equal(sas[0]!.state, 'ESTABLISHED');
    const [child] = Object.values(sas[0]!['child-sas']!);
    assert.equal(child?.state, 'INSTALLED');
    assert.deepEqual(child['remote-ts'], ['10.2.0.0/24']);

    assert.equal((await left.request('rekey', { child: 'net' })).matches, '1');
    const seen: string[] = [];
    for await (const { name, message } of events) {
      seen.push('up' in message ? `${name} up` : name);
      if (name === 'child-rekey') break;
    }
    assert.deepEqual(seen, ['ike-updown up', 'child-updown up', 'child-rekey']);
    watcher.close();

    const lines: string[] = [];
    const terminate = left.stream('terminate', { ike: 'net', timeout: '60000' });
    let step = await terminate.next();
    for (; step.done !== true; step = await terminate.next()) lines.push(step.value.msg);
    assert.equal(step.value.success, 'yes');
    assert.ok(lines.some((msg) => /deleting IKE_SA net/.test(msg)));
    for await (const event of left.stream('list-sas')) assert.fail(`${Object.keys(event)} is still there`);
  });
});
