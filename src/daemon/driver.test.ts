// What comes in while a host starts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfiguration } from '#config';
import { nodeRandomness } from '#crypto';
import { Engine, type EngineInput } from '#engine';
import { address, type UnknownSpiEvidence } from '#sa';
import { configurationPorts } from './configuration/load-configuration-file.ts';
import { Driver } from './driver.ts';
import type { PacketIo } from './packet-io.ts';

const text = `
wayward {
  unknown_spi = helpful
}
connections {
  peer {
    local_addrs = 192.0.2.1
    remote_addrs = 192.0.2.2
    children {
      net {
        start_action = none
      }
    }
    local {
      auth = psk
      id = 192.0.2.1
    }
    remote {
      auth = psk
      id = 192.0.2.2
    }
  }
}
secrets {
  ike {
    secret = "correct horse battery staple"
  }
}
`;

test('a packet that comes before the engine may answer is answered as soon as it may', async (t) => {
  const { configuration } = loadConfiguration({ text, file: '/test.conf', ports: configurationPorts });
  const engine = new Engine({ randomness: nodeRandomness(), configuration });
  const seen: string[] = [];
  const driver = new Driver(
    engine,
    {
      event: (_at, { kind }) => seen.push(kind),
      datagram: (direction) => seen.push(direction),
      keyLog: () => undefined,
      reports: () => undefined,
      statistics: () => undefined,
      restarted: (error) => assert.fail(error),
      addressesChanged: () => undefined,
      died: (error) => assert.fail(error),
    },
    0,
  );
  t.after(() => driver.stop());
  const io: PacketIo = {
    tunName: undefined,
    listen: () => Promise.resolve(),
    receive: () => seen.push('received'),
    transmit: () => seen.push('transmitted'),
    transmitHip: () => undefined,
    sendIcmp: () => undefined,
    loadLsis: () => undefined,
    apply: () => undefined,
    close: () => Promise.resolve(),
  };
  const evidence: UnknownSpiEvidence = {
    protocol: 'esp',
    spi: 0xc0ffee,
    source: { address: address('192.0.2.2'), port: 4500 },
    destination: { address: address('192.0.2.1'), port: 4500 },
    encapsulated: true,
    lengthBytes: 136,
    count: 1,
    mergedBytes: 136,
  };
  const answer = driver.command({ kind: 'terminate', connection: 'nobody' });
  for (let i = 0; i < 1_000; i++)
    driver.packetIoListener.event({ kind: 'unknown-spi', evidence: { ...evidence, spi: evidence.spi + i } });
  assert.deepEqual(seen, []);
  driver.start(io);
  // The boot epoch comes first, and the answer goes through the sockets.
  assert.deepEqual(seen.slice(0, 3), ['started', 'out', 'transmitted']);
  assert.ok(seen.filter((what) => what === 'unknown-spi').length < 100);
  assert.equal(seen.filter((what) => what === 'received').length, 1);
  assert.equal((await answer).ok, false);
});

/** As far as a driver knows it: it says nothing, and is ready when it is told to be. */
class SilentEngine {
  ready = false;
  readonly inputs: EngineInput['kind'][] = [];
  handle(input: EngineInput): void {
    this.inputs.push(input.kind);
  }
  poll(): undefined {
    return undefined;
  }
  deadline(): undefined {
    return undefined;
  }
}

function startedBeside(engine: SilentEngine): { readonly driver: Driver; readonly received: () => number } {
  let received = 0;
  const nothing = (): undefined => undefined;
  const listener = {
    event: nothing,
    datagram: nothing,
    keyLog: nothing,
    reports: nothing,
    statistics: nothing,
    restarted: nothing,
    addressesChanged: nothing,
    died: assert.fail,
  };
  const driver = new Driver(engine as unknown as Engine, listener, 0);
  driver.start({
    tunName: undefined,
    listen: () => Promise.resolve(),
    receive: () => {
      received++;
    },
    transmit: nothing,
    transmitHip: nothing,
    sendIcmp: nothing,
    loadLsis: nothing,
    apply: nothing,
    close: () => Promise.resolve(),
  });
  return { driver, received: () => received };
}

test('nothing is read while SAs of an earlier process are being taken over', (t) => {
  const engine = new SilentEngine();
  const { driver, received } = startedBeside(engine);
  t.after(() => driver.stop());
  assert.equal(received(), 0);
  driver.packetIoListener.saResult(1, { ok: true });
  assert.equal(received(), 0);
  engine.ready = true;
  driver.packetIoListener.saResult(2, { ok: true });
  driver.packetIoListener.saResult(3, { ok: true });
  assert.equal(received(), 1);
});

test('a disk that hangs does not keep a host deaf', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { driver, received } = startedBeside(new SilentEngine());
  t.after(() => driver.stop());
  t.mock.timers.tick(499);
  assert.equal(received(), 0);
  t.mock.timers.tick(1);
  assert.equal(received(), 1);
});
