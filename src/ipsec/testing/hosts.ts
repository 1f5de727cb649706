// Two memory data planes with one flow between them, and hand-made ESP packets.
import assert from 'node:assert/strict';
import { packetCipher } from '#crypto';
import type { PolicyParameters, SaParameters } from '#sa';
import { writeU32 } from '#wire';
import type { MemoryDataPlaneOptions } from '../memory/interface.ts';
import { MemoryDataPlane } from '../memory/memory-data-plane.ts';
import {
  drain,
  type FlowOptions,
  flow,
  policyFor,
  type Transmit,
  testRandomness,
  transmitted,
} from './fixtures.ts';

export interface Hosts {
  readonly sender: MemoryDataPlane;
  readonly receiver: MemoryDataPlane;
  readonly senderSa: SaParameters;
  readonly receiverSa: SaParameters;
}

/** A sender and a receiver with SAs and policies installed at time 0. */
export function hosts(
  options: FlowOptions = {},
  planeOptions: Partial<MemoryDataPlaneOptions> = {},
  policy: Partial<PolicyParameters> = {},
): Hosts {
  const { sender: senderSa, receiver: receiverSa } = flow(options);
  const sender = new MemoryDataPlane({ randomness: testRandomness, ...planeOptions });
  const receiver = new MemoryDataPlane({ randomness: testRandomness, ...planeOptions });
  for (const [plane, sa] of [
    [sender, senderSa],
    [receiver, receiverSa],
  ] as const) {
    assert.deepEqual(plane.apply({ kind: 'install', sa }, 0), { ok: true });
    assert.deepEqual(plane.apply({ kind: 'install-policy', policy: policyFor(sa, policy) }, 0), { ok: true });
  }
  return { sender, receiver, senderSa, receiverSa };
}

/** The one packet that leaves. */
export function seal(sender: MemoryDataPlane, packet: Uint8Array, at = 0): Transmit {
  sender.outbound(packet, at);
  const [first, ...more] = transmitted(drain(sender));
  assert.ok(first !== undefined && more.length === 0, 'exactly one packet leaves');
  return first;
}

/** An authentic AES-GCM packet with any text, trailer included; its length is a multiple of four. */
export function craft(sa: SaParameters, sequence: number, text: Uint8Array): Transmit {
  const cipher = packetCipher({ encryption: sa.encryption! });
  const octets = new Uint8Array(16 + text.length + cipher.icvBytes);
  writeU32(octets, 0, sa.spi);
  writeU32(octets, 4, sequence);
  writeU32(octets, 12, sequence);
  octets.set(text, 16);
  cipher.seal({
    aad: octets.subarray(0, 8),
    iv: octets.subarray(8, 16),
    text: octets.subarray(16, 16 + text.length),
    icv: octets.subarray(16 + text.length),
  });
  return {
    kind: 'transmit',
    protocol: 'esp',
    local: { address: sa.remote, port: 0 },
    remote: { address: sa.local, port: 0 },
    octets,
    trafficClass: 0,
    hopLimit: 64,
    dontFragment: false,
  };
}
