import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChildConfiguration, ChildKernelTies } from '../configuration.ts';
import { child } from '../testing/connections.ts';
import { kernelTiesOfPolicy, kernelTiesOfSa } from './kernel-ties.ts';

const whole = 0xffff_ffff;
const having = (kernelTies: ChildKernelTies): ChildConfiguration => ({ ...child('moon'), kernelTies });
const mark = { value: 0x2a, mask: 0xff };

test('an inbound SA asks for the mark only if it is told to; its policies always do', () => {
  const ties = { inbound: { mark, setMark: 'same' }, outbound: { mark }, markInboundSa: false } as const;
  assert.deepEqual(kernelTiesOfSa(having(ties), 1, 'inbound'), { setMark: mark });
  assert.deepEqual(kernelTiesOfSa(having(ties), 1, 'outbound'), { mark });
  assert.deepEqual(kernelTiesOfSa(having({ ...ties, markInboundSa: true }), 1, 'inbound'), {
    mark,
    setMark: mark,
  });
  assert.deepEqual(kernelTiesOfPolicy(having(ties), 1), { inbound: { mark }, outbound: { mark } });
});

test('unique numbers are those of one Child SA, the same for both directions or not', () => {
  const ties = (choice: 'unique' | 'unique-per-direction'): ChildConfiguration =>
    having({
      inbound: { mark: choice, interfaceId: choice },
      outbound: { mark: choice, interfaceId: choice },
      markInboundSa: true,
    });
  const numbers = (configuration: ChildConfiguration, childId: number) =>
    (['inbound', 'outbound'] as const).map((direction) => {
      const found = kernelTiesOfSa(configuration, childId, direction)!;
      assert.equal(found.mark!.mask, whole);
      assert.equal(found.mark!.value, found.interfaceId);
      assert.deepEqual(kernelTiesOfPolicy(configuration, childId)![direction], found);
      return found.interfaceId!;
    });
  const seen = new Set<number>();
  for (const childId of [1, 2, 3]) {
    const [same, alsoSame] = numbers(ties('unique'), childId);
    assert.equal(same, alsoSame);
    const [inbound, outbound] = numbers(ties('unique-per-direction'), childId);
    assert.notEqual(inbound, outbound);
    for (const number of new Set([same!, inbound!, outbound!])) {
      assert.ok(!seen.has(number) && number > 0);
      seen.add(number);
    }
  }
});

test('without any there is nothing to say', () => {
  assert.equal(kernelTiesOfSa(child('moon'), 1, 'inbound'), undefined);
  assert.equal(kernelTiesOfPolicy(child('moon'), 1), undefined);
});
