// The seeds of the engine's targets reach the states they are named for, so that mutations of them reach farther.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExchangeType } from '#wire';
import { decodeSteps, encodeSteps, play, StepFlag } from './engine-script.ts';
import { seedsOf } from './engine-seeds.ts';
import { reach, type Stage, stages } from './engine-stage.ts';

function told(stage: Stage, seed: string): readonly string[] {
  const entry = seedsOf(stage).find(({ name }) => name === seed);
  assert.ok(entry, `${stage.name} has no ${seed}`);
  const host = reach(stage);
  play(host, entry.octets);
  return [...host.story];
}

function stage(name: string): Stage {
  const found = stages.find((one) => one.name === name);
  assert.ok(found);
  return found;
}

describe('scripts for an engine', () => {
  for (const one of stages.filter(({ begun, received }) => begun === undefined && received < 2)) {
    test(`${one.name}: the peer's messages establish, rekey and delete`, () => {
      assert.ok(told(one, 'seed-rekey-child').includes('ike child-rekeyed'));
      assert.ok(told(one, 'seed-rekey-ike').includes('ike ike-rekeyed'));
      assert.ok(told(one, 'seed-terminate-ike').includes('ike ike-ended deleted-by-peer'));
    });
  }

  test('what the host began, the peer completes', () => {
    assert.ok(told(stage('awaiting-child-rekey'), 'seed-rekey-child').includes('ike child-rekeyed'));
    assert.ok(told(stage('awaiting-ike-rekey'), 'seed-rekey-ike').includes('ike ike-rekeyed'));
    const deleted = told(stage('awaiting-child-delete'), 'seed-terminate-child');
    assert.ok(deleted.includes('ike child-ended deleted-by-us'));
  });

  test('a sealed step is authentic: its unknown exchange ends the IKE SA', () => {
    const host = reach(stage('established'));
    const step = { exchangeType: ExchangeType.IKE_INTERMEDIATE, firstPayload: 0, octets: new Uint8Array() };
    play(host, encodeSteps([{ ...step, flags: StepFlag.SEALED, messageId: 2 }]));
    assert.ok(host.story.has('ike ike-ended invalid-syntax'));
  });

  test('a length that lies takes what there is', () => {
    const steps = decodeSteps(Uint8Array.of(0, 34, 0, 0, 0xff, 0xff, 1, 2, 3));
    assert.deepEqual(
      steps.map(({ octets }) => [...octets]),
      [[1, 2, 3]],
    );
  });

  test('the same script, the same story', () => {
    const [seed] = seedsOf(stage('established'));
    assert.ok(seed);
    const run = (): string[] => {
      const host = reach(stage('established'));
      play(host, seed.octets);
      return [...host.story];
    };
    assert.deepEqual(run(), run());
  });
});
