// Peers that read the RFCs in their own way: what is asked for is done for them alone, and nothing of it by itself.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatSuite, Integ } from '#sa';
import { HipEspSuite } from '#wire';
import type { HipPeer, HipQuirk } from './configuration.ts';
import { hipQuirks } from './configuration.ts';
import { decodeTransit, type TestHost, TwoHosts, typeOf } from './testing/two-hosts.ts';

function hostsWith(quirks: { readonly moon?: HipQuirk; readonly sun?: HipQuirk }): TwoHosts {
  const espSuites = [HipEspSuite.AES_128_CBC_HMAC_SHA_256];
  const of = (name: 'moon' | 'sun', peers?: readonly HipPeer[]) => ({
    configuration: { espSuites, ...(peers !== undefined && { peers }) },
    name,
  });
  const plain = new TwoHosts({ moon: of('moon'), sun: of('sun') });
  const withQuirk = (host: TestHost, quirk: HipQuirk | undefined): readonly HipPeer[] =>
    host.configuration.peers.map((peer) => ({ ...peer, ...(quirk !== undefined && { quirks: [quirk] }) }));
  return new TwoHosts({
    moon: of('moon', withQuirk(plain.moon, quirks.moon)),
    sun: of('sun', withQuirk(plain.sun, quirks.sun)),
  });
}

function integrityOf(host: TestHost): unknown[] {
  return [...host.inbound.values(), ...host.outbound.values()].map(({ integrity }) => integrity?.id);
}

function rekey(hosts: TwoHosts): void {
  const { moon, sun } = hosts;
  const command = { kind: 'rekey', local: moon.hit, remote: sun.hit } as const;
  moon.give(hosts.now, { kind: 'command', command });
  hosts.settle();
  hosts.sendEsp(moon);
  hosts.sendEsp(sun);
}

describe('esp-icv-96', () => {
  test('gives HMAC-SHA-256 of this peer an ICV of 96 bits, also after a rekeying', () => {
    const hosts = hostsWith({ moon: hipQuirks.shortIcv, sun: hipQuirks.shortIcv }).connect();
    for (const host of hosts.hosts)
      assert.deepEqual(integrityOf(host), [Integ.HMAC_SHA2_256_96, Integ.HMAC_SHA2_256_96]);
    assert.equal(formatSuite(hosts.moon.host.status()[0]!.suite!), 'aes128-sha256_96-esn');
    rekey(hosts);
    hosts.assertKeysAgree();
    for (const host of hosts.hosts)
      assert.deepEqual(integrityOf(host), [Integ.HMAC_SHA2_256_96, Integ.HMAC_SHA2_256_96]);
  });

  test('is not there unless it is asked for, and then on this side alone', () => {
    const hosts = hostsWith({ moon: hipQuirks.shortIcv });
    hosts.call();
    hosts.settle();
    assert.deepEqual(integrityOf(hosts.moon), [Integ.HMAC_SHA2_256_96, Integ.HMAC_SHA2_256_96]);
    assert.deepEqual(integrityOf(hosts.sun), [Integ.HMAC_SHA2_256_128, Integ.HMAC_SHA2_256_128]);
    assert.equal(formatSuite(hosts.sun.host.status()[0]!.suite!), 'aes128-sha256-esn');
  });
});

describe('esp-sequence-32', () => {
  const widths = (host: TestHost): boolean[] =>
    [...host.inbound.values(), ...host.outbound.values()].map(({ esn }) => esn);

  // RFC 7402 3.3.6
  test('is not there unless it is asked for: sequence numbers have 64 bits, also after a rekeying', () => {
    const hosts = hostsWith({}).connect();
    rekey(hosts);
    for (const host of hosts.hosts) assert.deepEqual(widths(host), [true, true]);
    assert.equal(formatSuite(hosts.moon.host.status()[0]!.suite!), 'aes128-sha256-esn');
  });

  test('gives the SAs with this peer 32 bits, also after a rekeying', () => {
    const hosts = hostsWith({ moon: hipQuirks.shortSequence, sun: hipQuirks.shortSequence }).connect();
    for (const host of hosts.hosts) assert.deepEqual(widths(host), [false, false]);
    rekey(hosts);
    for (const host of hosts.hosts) assert.deepEqual(widths(host), [false, false]);
    assert.equal(formatSuite(hosts.moon.host.status()[0]!.suite!), 'aes128-sha256');
  });
});

describe('r2-signature-2', () => {
  function exchange(hosts: TwoHosts): { readonly r2: string[]; readonly state: string } {
    const r2: string[] = [];
    hosts.call();
    hosts.settle((transit) => {
      if (typeOf(transit) === 'R2') r2.push(...decodeTransit(transit).parameters.map(({ type }) => type));
      return true;
    });
    return {
      r2: r2.filter((type) => type.startsWith('HIP_SIGNATURE')),
      state: hosts.moon.state(hosts.sun.hit),
    };
  }

  test('signs R2 by HIP_SIGNATURE_2, and takes it so', () => {
    const hosts = hostsWith({ moon: hipQuirks.signature2InR2, sun: hipQuirks.signature2InR2 });
    assert.deepEqual(exchange(hosts), { r2: ['HIP_SIGNATURE_2'], state: 'ESTABLISHED' });
  });

  test('takes the signature of RFC 7401 as well', () => {
    const hosts = hostsWith({ moon: hipQuirks.signature2InR2 });
    assert.deepEqual(exchange(hosts), { r2: ['HIP_SIGNATURE'], state: 'ESTABLISHED' });
  });

  // RFC 7401 6.10
  test('is refused by whoever has not asked for it', () => {
    const hosts = hostsWith({ sun: hipQuirks.signature2InR2 });
    assert.deepEqual(exchange(hosts), { r2: ['HIP_SIGNATURE_2'], state: 'I2-SENT' });
    assert.deepEqual(hosts.moon.rejections, ['R2 signature']);
  });
});
