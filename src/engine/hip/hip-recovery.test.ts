// Lost state, HIP's way: a Parameter Problem out of the same budgets, one UPDATE, I1 beside what stands (RFC 7401 4.5.4, 5.4).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressBytes, formatSpi } from '#sa';
import { decodeIcmpv4 } from '#wire';
import { type HipEngine, HipEngines } from './testing/hip-engines.ts';

const hipOnly = { connections: [], unknownSpi: { policy: 'helpful', reestablish: false } } as const;

function associated(hosts: HipEngines): HipEngines {
  hosts.start();
  hosts.moon.give(hosts.now, { kind: 'command', id: 1, command: { kind: 'hip-associate', peer: 'sun' } });
  hosts.settle();
  return hosts;
}

function standing({ engine }: HipEngine): number {
  return engine.status().hip.filter(({ childId }) => childId !== undefined).length;
}

test('an unknown SPI of a HIP host is answered by a Parameter Problem that points at it, and never outweighs what came', () => {
  const hosts = associated(new HipEngines(hipOnly));
  const { moon, sun } = hosts;
  const spi = moon.outboundSpi();
  sun.crash(hosts.now);
  hosts.sendEsp(moon, spi);
  const [told] = sun.icmp;
  assert.ok(told !== undefined);
  const message = decodeIcmpv4(told.octets);
  assert.equal(message.kind, 'parameter-problem');
  assert.ok(message.kind === 'parameter-problem');
  // RFC 7402 5.4.1: IHL x 4.
  assert.equal(message.pointer, 20);
  const quoted = decodeIpv4Header(message.quoted);
  assert.deepEqual(quoted.source, [...addressBytes(told.remote)]);
  assert.equal(formatSpi(quoted.spi), formatSpi(spi));
  assert.ok(20 + told.octets.length <= 20 + 136);
});

function decodeIpv4Header(quoted: Uint8Array): { readonly source: number[]; readonly spi: number } {
  const view = new DataView(quoted.buffer, quoted.byteOffset);
  return { source: [...quoted.subarray(12, 16)], spi: view.getUint32(20) };
}

// RFC 7401 4.5.4, 6.16
test('a Parameter Problem is a hint: one UPDATE; unanswered, I1 goes out, and the old association goes at R2 alone', () => {
  const hosts = associated(new HipEngines(hipOnly));
  const { moon, sun } = hosts;
  const spi = moon.outboundSpi();
  const [before] = moon.engine.status().hip;
  const hint = (): void =>
    moon.give(hosts.now, {
      kind: 'icmp-error',
      from: before!.path.remote.address,
      quote: { source: before!.path.local.address, destination: before!.path.remote.address, spi },
    });
  // The peer lives: it answers, and nothing changes.
  hint();
  hint();
  assert.equal(moon.sent.length, 1);
  hosts.settle();
  assert.equal(moon.outboundSpi(), spi);

  sun.crash(hosts.now);
  hosts.now += 60_000;
  hint();
  hosts.wait(150);
  assert.equal(moon.outboundSpi(), spi);
  hosts.wait(5_000);
  assert.notEqual(moon.outboundSpi(), spi);
  assert.equal(standing(moon), 1);
  assert.equal(standing(sun), 1);
});

test('what was suspected of an association goes with it', () => {
  const hosts = associated(new HipEngines(hipOnly));
  const { moon } = hosts;
  const { backOffs: before } = moon.engine.tables();
  const [{ path }] = moon.engine.status().hip as [ReturnType<typeof moon.engine.status>['hip'][number]];
  const quote = { source: path.local.address, destination: path.remote.address, spi: moon.outboundSpi() };
  moon.give(hosts.now, { kind: 'icmp-error', from: path.remote.address, quote });
  hosts.settle();
  assert.equal(moon.engine.tables().backOffs, before + 1);
  moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'hip-close', peer: 'sun' } });
  hosts.settle();
  assert.equal(moon.engine.tables().backOffs, before);
});

test('a restarted host calls whom it had associations with, once', () => {
  const hosts = associated(new HipEngines({ connections: [] }));
  const { moon, sun } = hosts;
  sun.crash(hosts.now);
  hosts.settle();
  assert.equal(standing(sun), 1);
  assert.equal(standing(moon), 1);
  const why = sun.engine.why('last');
  assert.match(JSON.stringify(why), /hip moon/);
});

test('IKE and HIP with one peer: an unknown SPI gets one answer, of the protocol whose it was', () => {
  const hosts = associated(new HipEngines({ unknownSpi: { policy: 'helpful', reestablish: false } }));
  const { moon, sun } = hosts;
  const spi = moon.outboundSpi();
  sun.crash(hosts.now);
  hosts.sendEsp(moon, spi);
  // Nothing of IKE, although a connection is configured with that address: the history knows better.
  assert.equal(sun.icmp.length, 1);
  assert.equal(sun.sent.filter(({ kind }) => kind === 'transmit').length, 0);
  const answer = JSON.stringify(sun.engine.why(spi));
  assert.match(answer, /hip moon/);

  // An SPI of nobody, where both protocols may be meant: INVALID_SPI alone under this policy.
  hosts.sendEsp(moon, 0xdead_beef);
  assert.equal(sun.icmp.length, 1);
  assert.equal(sun.sent.filter(({ kind }) => kind === 'transmit').length, 1);
});

test('an association that ends in order leaves late packets unanswered', () => {
  const hosts = associated(new HipEngines(hipOnly));
  const { moon, sun } = hosts;
  const spi = moon.outboundSpi();
  moon.give(hosts.now, { kind: 'command', id: 2, command: { kind: 'hip-close', peer: 'sun' } });
  hosts.settle();
  hosts.sendEsp(moon, spi);
  assert.equal(sun.icmp.length, 0);
});
