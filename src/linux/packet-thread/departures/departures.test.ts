// What one packet thread reads from the device for another one, and that it is handed over once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeRandomness } from '#crypto';
import { type LsiTranslation, MemoryDataPlane } from '#ipsec';
import { selectorOfPrefix } from '#sa';
import type { OtherThreads } from '../../hand-over/other-threads.ts';
import { PacketMemory } from '../../memory/packet-memory.ts';
import { fromKernel } from '../../offload/testing/device.ts';
import { tcpPacket } from '../../offload/testing/large-packets.ts';
import { GsoType, virtioNetHeaderBytes } from '../../offload/virtio-net-header.ts';
import { TunDevice } from '../../tun-device.ts';
import { Departures } from './departures.ts';
import { Ways } from './ways.ts';

const childId = 7;
/** UDP without data from 10.1.0.1 to 10.2.0.1, of no checksum that anybody looks at. */
const packet = Uint8Array.from([
  ...[0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 1, 0, 1, 10, 2, 0, 1],
  ...[0x10, 0, 0x20, 0, 0, 8, 0, 0],
]);
const readBytes = virtioNetHeaderBytes + packet.length;

/** The thread has a policy of the pair, whose SA is another thread's. */
function given() {
  const memory = new PacketMemory(
    PacketMemory.bytesTaken(TunDevice.bytes) + PacketMemory.bytesTaken(Departures.bytes),
  );
  const start = memory.take(TunDevice.bytes);
  memory.octets.set(packet, start + virtioNetHeaderBytes);
  const plane = new MemoryDataPlane({ randomness: nodeRandomness() });
  const selectors = {
    local: [selectorOfPrefix('10.1.0.0/16')!],
    remote: [selectorOfPrefix('10.2.0.0/16')!],
  };
  const policy = { policyId: 1, action: 'protect', selectors, priority: 1, mode: 'tunnel', childId } as const;
  assert.ok(plane.apply({ kind: 'install-policy', policy }, 0).ok);
  plane.sealElsewhere(childId, true, 0);
  const given: string[] = [];
  const others = {
    handOverOutbound: (pair: number, _: Uint8Array, from: number, lengthBytes: number) =>
      given.push(`${lengthBytes} from ${from - start} for ${pair}`),
    handOverPacket: (pair: number, octets: Uint8Array) => given.push(`${octets.length} alone for ${pair}`),
  } as unknown as OtherThreads;
  const departures = new Departures(memory, {
    ...{ plane, others, ways: new Ways(memory), drain: () => undefined },
    lsi: { active: false } as LsiTranslation,
  });
  const lengths = [readBytes, 0];
  const tun = { memory, start, read: () => lengths.shift() ?? 0 } as unknown as TunDevice;
  return { departures, tun, start, plane, given };
}

test('what is read for a pair of another thread goes there as it was read, with its virtio header', () => {
  const { departures, tun, given: handedOver } = given();
  departures.read(tun);
  assert.deepEqual(handedOver, [`${readBytes} from 0 for ${childId}`]);
  assert.equal(departures.returned, 0);
});

test('what another thread has handed over is not handed over again, but counted', () => {
  const { departures, start, given: handedOver } = given();
  departures.takeHandedOver(start, readBytes);
  departures.flush();
  assert.deepEqual(handedOver, []);
  assert.equal(departures.returned, 1);
});

test('a packet whose pair changes over between its reading and its sealing is handed over alone', () => {
  const { departures, tun, plane, given: handedOver } = given();
  const handsOver = plane.handsOver.bind(plane);
  plane.handsOver = (...words) => {
    handsOver(...words);
    return undefined;
  };
  departures.read(tun);
  assert.deepEqual(handedOver, [`${packet.length} alone for ${childId}`]);
});

test('large packets that are cut very small do not keep sockets and device from their turn', () => {
  const { departures, tun, start, plane } = given();
  plane.sealElsewhere(childId, false, 0);
  const shape = { version: 4, dataBytes: 60_000, gsoBytes: 36, optionBytes: 12, flags: 0x10 } as const;
  const large = tcpPacket({ ...shape, sequence: 1, identification: 1, trafficClass: 0 });
  const [octets, lengthBytes] = fromKernel(large, GsoType.TCPV4, shape.gsoBytes);
  tun.memory.octets.set(octets.subarray(0, lengthBytes), start);
  let reads = 0;
  const busy = {
    ...tun,
    read: () => {
      reads++;
      return lengthBytes;
    },
  } as unknown as TunDevice;
  departures.read(busy);
  // 1,667 segments each.
  assert.equal(reads, 2);
});
