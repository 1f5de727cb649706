// What tests of the recovery look at in two hosts, and configurations that several of them need.
import assert from 'node:assert/strict';
import type { Datagram, HostChange, TestHost, TwoHosts } from './two-hosts.ts';

/** Initiator's SPIs of the IKE SAs that stand. */
export function standing({ engine }: TestHost): string[] {
  return engine
    .status()
    .ikeSas.filter(({ phase }) => phase === 'established')
    .map(({ initiatorSpi }) => initiatorSpi);
}

/** The only datagram that waits to be delivered. */
export function only(host: TestHost): Datagram {
  assert.equal(host.sent.length, 1);
  return host.sent.shift()!;
}

/** moon's data plane tells that it sent, and has heard nothing since the beginning. */
export function sendsInVain(hosts: TwoHosts): void {
  hosts.moon.give(hosts.now, {
    kind: 'traffic',
    notes: [{ childId: 1, lastInboundAt: 0, lastOutboundAt: hosts.now }],
  });
}

export const responderOnly: HostChange = { connection: { remoteAddresses: [{ kind: 'any' }] } };
