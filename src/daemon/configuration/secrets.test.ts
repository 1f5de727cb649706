import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfiguration } from '#config';
import { eventText } from '#engine';
import { monotonicMs } from '#linux';
import { address } from '#sa';
import { Daemon } from '../daemon.ts';
import { DatagramPacketIo } from '../datagram-packet-io.ts';
import { askDaemon } from '../endpoints/control-client.ts';
import { KeyLogFile } from '../logs/key-log-file.ts';
import { Log } from '../logs/log.ts';
import { jsonFormat } from '../logs/log-format.ts';
import { TunnelNetwork } from '../network/tunnel-network.ts';
import { twoGateways } from '../testing/two-gateways.ts';
import { configurationPorts } from './load-configuration-file.ts';

const sharedSecret = 'correct horse battery staple';
const ports = { ike: 20_000 + 2 * (process.pid % 20_000), natTraversal: 20_001 + 2 * (process.pid % 20_000) };

function configurationText(own: string, peer: string, proposals: string): string {
  return `wayward {
  port = ${ports.ike}
  port_nat_t = ${ports.natTraversal}
}
connections {
  peer {
    local_addrs = ${own}
    remote_addrs = ${peer}
    local_port = ${ports.ike}
    remote_port = ${ports.ike}
    encap = yes
    proposals = ${proposals}
    local {
      auth = psk
      id = ${own}
    }
    remote {
      auth = psk
      id = ${peer}
    }
    children {
      net {
        local_ts = ${own}/32
        remote_ts = ${peer}/32
        esp_proposals = aes256-sha256-x25519
      }
    }
  }
}
secrets {
  ike {
    secret = "${sharedSecret}"
  }
}
`;
}

/** All texts and all octets in a value, however deep. */
function contents(value: unknown, found = new Set<unknown>(), texts: string[] = []): string[] {
  if (typeof value === 'string') texts.push(value);
  if (ArrayBuffer.isView(value)) {
    texts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'));
  } else if (typeof value === 'object' && value !== null && !found.has(value)) {
    found.add(value);
    if (value instanceof Map || value instanceof Set) contents([...value], found, texts);
    if (Array.isArray(value) && value.every((item) => typeof item === 'number'))
      texts.push(Buffer.from(value).toString('latin1'));
    for (const part of Object.values(value)) contents(part, found, texts);
  }
  return texts;
}

function host(
  t: TestContext,
  folder: string,
  own: string,
  peer: string,
  proposals: string,
): {
  readonly daemon: Daemon;
  readonly keyLog: string;
  readonly said: unknown[];
} {
  const said: unknown[] = [];
  const keyLog = join(folder, own);
  const { configuration } = loadConfiguration({
    text: configurationText(own, peer, proposals),
    file: '/test.conf',
    ports: configurationPorts,
  });
  const daemon = new Daemon({
    configuration,
    log: new Log('trace', { write: (line) => said.push(line), format: jsonFormat() }),
    mark: 0,
    keyLog: new KeyLogFile(keyLog),
    socketPath: join(folder, `${own}.socket`),
    openPacketIo: async (listener) =>
      new DatagramPacketIo(
        {
          addresses: [address(own)],
          ikePort: ports.ike,
          natTraversalPort: ports.natTraversal,
          pathMtuBytes: 1400,
          clock: monotonicMs,
          deliver: () => undefined,
        },
        listener,
      ),
    openNetwork: async () =>
      new TunnelNetwork(undefined, 'lo', {
        problem: (_child, text) => said.push(text),
        scriptLine: (_child, text) => said.push(text),
      }),
    reload: () => configuration,
    onEvent: (event) => said.push(structuredClone(event), eventText(event)),
    onReports: (reports) => said.push(structuredClone(reports)),
    onDeath: (error) => said.push(error.message),
  });
  t.after(() => daemon.stop());
  return { daemon, keyLog, said };
}

for (const proposals of ['aes256-sha384-prfsha384-ecp256', 'aes128gcm16-prfsha256-x25519']) {
  test(`no event, log line, report or status holds a key of IKE or ESP (${proposals})`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'wayward-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const left = host(t, folder, '127.0.0.1', '127.0.0.2', proposals);
    const right = host(t, folder, '127.0.0.2', '127.0.0.1', proposals);
    await left.daemon.start();
    await right.daemon.start();
    const ask = async (request: Parameters<typeof askDaemon>[1]): Promise<void> => {
      const answer = await askDaemon(join(folder, '127.0.0.1.socket'), request);
      left.said.push(answer, left.daemon.status());
      right.said.push(right.daemon.status());
      assert.ok(
        answer.kind === 'status' ||
          answer.kind === 'snapshot' ||
          (answer.kind === 'result' && answer.result.ok),
        JSON.stringify(answer),
      );
    };
    await ask({ kind: 'up', child: 'net' });
    await ask({ kind: 'rekey', name: 'net', ike: false });
    await ask({ kind: 'rekey', name: 'peer', ike: true });
    await ask({ kind: 'status' });
    await ask({ kind: 'snapshot' });
    await left.daemon.stop();
    await right.daemon.stop();

    const keys = [left, right].flatMap(({ keyLog }) =>
      [...readFileSync(keyLog, 'latin1').matchAll(/\b(?:0x)?([0-9a-f]{32,})\b/g)].map(([, hex]) =>
        // A key log names AEAD keys with their salt: who prints the key alone is caught too.
        Buffer.from(hex ?? '', 'hex').subarray(0, 16),
      ),
    );
    assert.ok(keys.length > 16, `${keys.length} keys`);
    const everything = contents([left.said, right.said]);
    assert.ok(everything.some((text) => text.includes('IKE SA rekeyed')));
    for (const secret of [...keys, Buffer.from(sharedSecret)]) {
      const forms = [
        secret.toString('latin1'),
        secret.toString('hex'),
        secret.toString('base64').replace(/=+$/, ''),
      ];
      const leak = everything.find((text) => forms.some((form) => text.includes(form)));
      assert.equal(leak, undefined);
    }
  });
}

test('keys that the disk has no room for are no reason to have no tunnel', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wayward-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  class FullDisk extends KeyLogFile {
    override write(): void {
      throw new Error('ENOSPC: no space left on device');
    }
  }
  const lines: string[] = [];
  await twoGateways(t, {
    keyLog: new FullDisk(join(folder, 'keys')),
    log: new Log('error', { write: (line) => lines.push(line) }),
  });
  assert.match(lines.join('\n'), /error keys could not be logged: ENOSPC/);
});
