// What an Initiator costs a Responder whose R2 does not arrive (RFC 7401 6.9 4, 6.10).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hipDefaults } from '../configuration.ts';
import { TwoHosts } from '../testing/two-hosts.ts';

const { baseMs, tries } = hipDefaults.retransmission;

/** Each of them is one Diffie-Hellman agreement, two signatures and a pair of SAs. */
const associationsOf = ({ sun }: TwoHosts): number => sun.eventsOf('established').length;

describe('an R2 that does not arrive', () => {
  test('costs one association, however often I2 is repeated, and is sent again with each of them', () => {
    const hosts = new TwoHosts();
    const { moon, sun } = hosts;
    hosts.call();
    const i2s = new Set<string>();
    let r2s = 0;
    hosts.wait(baseMs * 2 ** (tries + 1), ({ octets }, type) => {
      if (type === 'I2') i2s.add(String(octets));
      if (type === 'R2') r2s++;
      return type !== 'R2';
    });
    assert.equal(moon.state(sun.hit), 'E-FAILED');
    assert.equal(associationsOf(hosts), 1);
    assert.equal(i2s.size, 1);
    assert.equal(r2s, tries + 1);
    assert.deepEqual([sun.inbound.size, sun.outbound.size, sun.policies.size], [1, 1, 1]);
  });

  test('does not keep an Initiator from beginning anew that has lost its state meanwhile', () => {
    const hosts = new TwoHosts();
    const { moon, sun } = hosts;
    hosts.call();
    hosts.wait(baseMs / 2, (_, type) => type !== 'R2');
    const [before] = sun.inbound.keys();
    moon.crash(hosts.now);
    hosts.call();
    hosts.settle();
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    assert.equal(associationsOf(hosts), 2);
    assert.deepEqual([sun.inbound.size, sun.inbound.has(before!), sun.spis.size], [1, false, 1]);
    hosts.assertKeysAgree();
  });

  test('leaves nobody with an R1 that is not offered any more', () => {
    const hosts = new TwoHosts();
    const { moon, sun } = hosts;
    hosts.call();
    hosts.wait(baseMs / 2, (_, type) => type !== 'R2');
    sun.configuration = { ...sun.configuration, espSuites: [8] };
    sun.give(hosts.now, { kind: 'command', command: { kind: 'load', configuration: sun.configuration } });
    hosts.wait(baseMs, (_, type) => type !== 'R2');
    assert.equal(associationsOf(hosts), 2);
    hosts.wait(2 * baseMs);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    assert.equal(associationsOf(hosts), 2);
    hosts.assertKeysAgree();
  });
});
