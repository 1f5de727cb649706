// Somebody between two hosts who would have them agree on less than both can do, and hosts that cannot agree (RFC 7401 4.1.6, 4.1.7).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeHipPacket, HipDhGroup, type HipParameter, hipParameter, writeHipChecksum } from '#wire';
import { hipDefaults } from '../configuration.ts';
import { addressesOf } from '../host-state.ts';
import { decodeTransit, type Transit, TwoHosts } from '../testing/two-hosts.ts';

const { ECP_384, MODP_2048 } = HipDhGroup;
const { baseMs, tries } = hipDefaults.retransmission;
const groups = [ECP_384, MODP_2048];

/** The packet with another parameter in place of that of the same type. */
function altered(transit: Transit, instead: HipParameter): Transit {
  const { path } = transit;
  const { header, parameters } = decodeTransit(transit);
  const octets = encodeHipPacket({
    header,
    parameters: parameters.map((one) => (one.type === instead.type ? instead : one)),
  });
  writeHipChecksum(octets, addressesOf(path.local.address, path.remote.address));
  return { ...transit, octets };
}

function groupOf(transit: Transit): number | undefined {
  return hipParameter(decodeTransit(transit).parameters, 'DIFFIE_HELLMAN')?.group;
}

function hostsWith(moon: readonly number[], sun: readonly number[]): TwoHosts {
  return new TwoHosts({ moon: { configuration: { groups: moon } }, sun: { configuration: { groups: sun } } });
}

describe('whoever changes', () => {
  // RFC 7401 4.1.7, 6.8 7
  test('the groups of I1 is found out by the list that R1 has under its signature, and the exchange goes on', () => {
    const hosts = hostsWith(groups, groups);
    const { moon, sun } = hosts;
    hosts.call();
    hosts.deliver(altered(hosts.take(moon), { type: 'DH_GROUP_LIST', groups: [MODP_2048] }));
    const r1 = hosts.take(sun);
    assert.equal(groupOf(r1), MODP_2048);
    hosts.deliver(r1);
    assert.deepEqual(moon.rejections, ['R1 downgrade']);
    assert.equal(moon.state(sun.hit), 'I1-SENT');
    assert.equal(moon.sent.length, 0);
    const used: (number | undefined)[] = [];
    hosts.wait(2 * baseMs, (transit, type) => {
      if (type === 'I2') used.push(groupOf(transit));
      return true;
    });
    assert.deepEqual(used, [ECP_384]);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
  });

  for (const weaker of [
    { type: 'DH_GROUP_LIST', groups: [MODP_2048] },
    { type: 'HIP_CIPHER', ciphers: [2] },
    { type: 'ESP_TRANSFORM', suites: [8] },
    { type: 'HIT_SUITE_LIST', suites: [1] },
  ] as const satisfies readonly HipParameter[])
    test(`${weaker.type} of R1 breaks its signature`, () => {
      const hosts = hostsWith(groups, groups);
      const { moon, sun } = hosts;
      hosts.call();
      hosts.deliver(hosts.take(moon));
      const r1 = hosts.take(sun);
      hosts.deliver(altered(r1, weaker));
      assert.deepEqual(moon.rejections, ['R1 signature']);
      hosts.deliver(r1);
      hosts.settle();
      assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    });

  test('nothing, but says again an old R1 with less in it, has the exchange wait for the next one', () => {
    const hosts = hostsWith(groups, [MODP_2048]);
    const { moon, sun } = hosts;
    hosts.call();
    hosts.deliver(hosts.take(moon));
    const old = hosts.take(sun);
    moon.crash(hosts.now);
    hosts.wait(2 * hipDefaults.unusedMs);
    sun.configuration = { ...sun.configuration, groups };
    sun.give(hosts.now, { kind: 'command', command: { kind: 'load', configuration: sun.configuration } });
    hosts.call();
    hosts.deliver(old);
    hosts.wait(2 * baseMs);
    assert.deepEqual([...new Set(sun.rejections)], ['I2 stale-puzzle']);
    assert.equal(moon.state(sun.hit), 'ESTABLISHED');
    hosts.assertKeysAgree();
  });
});

describe('a base exchange is aborted in silence', () => {
  // RFC 7401 4.1.6: R1 has another group, and the list of what there is.
  test('by hosts without a common group', () => {
    const hosts = hostsWith([ECP_384], [MODP_2048]);
    const { moon, sun } = hosts;
    const types = new Set<string>();
    hosts.call();
    hosts.wait(baseMs * 2 ** (tries + 1), (_, type) => {
      types.add(type);
      return true;
    });
    assert.deepEqual([...types], ['I1', 'R1']);
    assert.equal(moon.eventsOf('failed').length, 1);
    assert.deepEqual([moon.spis.size, sun.spis.size], [0, 0]);
  });

  for (const [what, configuration, rejection] of [
    ['HIP cipher', { ciphers: [4] }, 'R1 cipher'],
    ['ESP suite', { espSuites: [9] }, 'R1 esp-transform'],
  ] as const)
    test(`by hosts without a common ${what}`, () => {
      const hosts = new TwoHosts({
        moon: { configuration },
        sun: { configuration: { ciphers: [2], espSuites: [8] } },
      });
      const { moon } = hosts;
      hosts.call();
      hosts.settle((_, type) => type !== 'I2');
      assert.deepEqual(moon.rejections, [rejection]);
    });
});
