// Traffic selectors as prefixes and masks: nothing more and nothing less than the ranges were.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, selectorOfPrefix, type TrafficSelector } from '#sa';
import { acquiredSelectors, kernelSelectors, portBlocks } from './kernel-selectors.ts';

const of = (prefix: string, rest: Partial<TrafficSelector> = {}): TrafficSelector => ({
  ...selectorOfPrefix(prefix)!,
  ...rest,
});
const covers = ({ port, mask }: { port: number; mask: number }, one: number): boolean =>
  (one & mask) === port;

test('blocks of ports cover exactly their range, each port once', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(0xffff), fc.nat(0xffff), (a, b, port) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)];
      const count = portBlocks(start, end).filter((block) => covers(block, port)).length;
      assert.equal(count, start <= port && port <= end ? 1 : 0);
    }),
  );
  assert.deepEqual(portBlocks(0, 0xffff), [{ port: 0, mask: 0 }]);
  assert.deepEqual(portBlocks(80, 80), [{ port: 80, mask: 0xffff }]);
  assert.equal(portBlocks(1, 0xfffe).length, 30);
});

test('a prefix pair is one selector of the kernel', () => {
  const [one, ...more] = kernelSelectors([of('10.1.0.0/24')], [of('10.2.0.0/16')]);
  assert.equal(more.length, 0);
  assert.deepEqual([one!.sourcePrefixLength, one!.destinationPrefixLength], [24, 16]);
  assert.deepEqual(one!.source, Uint8Array.of(10, 1, 0, 0));
  assert.deepEqual([one!.sourcePortMask, one!.destinationPortMask, one!.protocol], [0, 0, 0]);
});

test('a range that is no prefix becomes several', () => {
  const range = { ...of('10.1.0.0/24'), start: address('10.1.0.1'), end: address('10.1.0.6') };
  assert.deepEqual(
    kernelSelectors([range], [of('10.2.0.0/24')]).map(({ sourcePrefixLength }) => sourcePrefixLength),
    [32, 31, 31, 32],
  );
});

test('families do not mix, and protocols that differ have no traffic in common', () => {
  const both = [of('10.1.0.0/24'), of('fd01::/64')];
  assert.equal(kernelSelectors(both, both).length, 2);
  const tcp = [of('10.1.0.0/24', { protocol: 6 })];
  assert.equal(kernelSelectors(tcp, [of('10.2.0.0/24', { protocol: 17 })]).length, 0);
  assert.equal(kernelSelectors(tcp, [of('10.2.0.0/24')])[0]!.protocol, 6);
});

test('ICMP has its type as source and its code as destination port (RFC 7296 3.13.1)', () => {
  const icmp = (startPort: number, endPort: number): TrafficSelector[] => [
    of('10.1.0.0/24', { protocol: 1, startPort, endPort }),
  ];
  const ports = (all: TrafficSelector[]) =>
    kernelSelectors(all, [of('10.2.0.0/24', { protocol: 1 })]).map((one) => [
      ...[one.sourcePort, one.sourcePortMask],
      ...[one.destinationPort, one.destinationPortMask],
    ]);
  assert.deepEqual(ports(icmp(0, 65535)), [[0, 0, 0, 0]]);
  assert.deepEqual(ports(icmp(0x0800, 0x0800)), [[8, 0xffff, 0, 0xffff]]);
  assert.deepEqual(ports(icmp(0x0800, 0x08ff)), [[8, 0xffff, 0, 0]]);
  assert.deepEqual(ports(icmp(0x0300, 0x0401)), [
    [3, 0xffff, 0, 0],
    [4, 0xffff, 0, 0xfffe],
  ]);
});

test('too many are refused', () => {
  const odd = of('10.1.0.0/24', { protocol: 6, startPort: 1, endPort: 0xfffe });
  const all = Array.from({ length: 2 }, () => odd);
  assert.throws(() => kernelSelectors(all, all), RangeError);
});

test('a packet that wants an SA is seen from its sender', () => {
  const [one] = kernelSelectors(
    [of('10.1.0.7/32', { protocol: 6, startPort: 1024, endPort: 1024 })],
    [of('10.2.0.9/32', { protocol: 6, startPort: 80, endPort: 80 })],
  );
  const { local, remote } = acquiredSelectors(one!);
  assert.deepEqual([local[0]!.start, local[0]!.startPort, local[0]!.endPort], ['10.1.0.7', 1024, 1024]);
  assert.deepEqual([remote[0]!.start, remote[0]!.startPort], ['10.2.0.9', 80]);
  const [ping] = kernelSelectors(
    [of('10.1.0.7/32', { protocol: 1, startPort: 0x0800, endPort: 0x0800 })],
    [of('10.2.0.9/32', { protocol: 1 })],
  );
  assert.equal(acquiredSelectors(ping!).local[0]!.startPort, 0x0800);
  assert.equal(acquiredSelectors(ping!).remote[0]!.startPort, 0x0800);
});
