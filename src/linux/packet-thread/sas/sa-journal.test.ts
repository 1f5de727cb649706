import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SaProgress } from '#ipsec';
import {
  address,
  type PolicyParameters,
  type SaCommand,
  type SaParameters,
  type SaResult,
  type Spi,
} from '#sa';
import { SaJournal } from './sa-journal.ts';

const ok: SaResult = { ok: true };

function parameters(direction: 'inbound' | 'outbound', spi: number, hardTimeMs?: number): SaParameters {
  return {
    direction,
    protocol: 'esp',
    spi: spi as Spi,
    mode: 'tunnel',
    local: address('192.0.2.1'),
    remote: address('192.0.2.2'),
    encryption: { id: 20, keyLengthBits: 128, key: new Uint8Array(20).fill(7) },
    esn: true,
    replayWindow: 64,
    selectors: { local: [], remote: [] },
    lifetimes: hardTimeMs === undefined ? {} : { hardTimeMs },
    childId: 1,
    generation: 0,
    copyDscp: 'out',
    copyDf: true,
  };
}

function removal(direction: 'inbound' | 'outbound', spi: number, childId = 1): SaCommand {
  return { kind: 'remove', protocol: 'esp', direction, spi: spi as Spi, childId };
}

test('what was carried out is told again in an order that a fresh thread can follow, and only that', () => {
  const journal = new SaJournal();
  const commands: SaCommand[] = [
    { kind: 'install', sa: parameters('inbound', 500) },
    { kind: 'install', sa: parameters('outbound', 600) },
    {
      kind: 'install-policy',
      policy: {
        policyId: 3,
        action: 'protect',
        selectors: { local: [], remote: [] },
        priority: 1,
        mode: 'tunnel',
        childId: 1,
      },
    },
    { kind: 'install', sa: parameters('outbound', 601) },
    { kind: 'use-outbound', protocol: 'esp', spi: 601 as Spi, childId: 1 },
    removal('outbound', 600),
    { kind: 'install', sa: parameters('inbound', 501) },
  ];
  for (const [id, command] of commands.entries()) {
    journal.asked(id, command);
    // The last one is refused.
    journal.answered(id, id === 6 ? { ok: false, code: 'exists', detail: '' } : ok, 0);
  }
  assert.equal(journal.saCount, 2);
  assert.deepEqual(
    journal.replay(0).map(({ command }) => (command.kind === 'install' ? command.sa.spi : command.kind)),
    [500, 601, 'use-outbound', 'install-policy'],
  );
});

test('an SA keeps its progress and what is left of its lifetime, and its keys are wiped when it goes', () => {
  const journal = new SaJournal();
  const sa = parameters('outbound', 600, 1000);
  const { progress } = journal.asked(1, { kind: 'install', sa });
  journal.answered(1, ok, 5000);
  new SaProgress(progress!).noteSequence(0, 77);
  const [again] = journal.replay(5400);
  assert.ok(again !== undefined && again.command.kind === 'install' && again.progress !== undefined);
  assert.deepEqual(new SaProgress(again.progress).last, { high: 0, low: 77 });
  assert.equal(again.command.sa.lifetimes.hardTimeMs, 600);
  const { key } = again.command.sa.encryption!;
  assert.deepEqual(key, new Uint8Array(20).fill(7));
  journal.asked(2, removal('outbound', 600));
  journal.answered(2, ok, 5500);
  assert.deepEqual(key, new Uint8Array(20));
  // Whoever asked has given them away.
  assert.deepEqual(sa.encryption!.key, new Uint8Array(20));
});

test('keys of an SA that was refused are wiped, and of one that a dead thread was asked for', () => {
  const journal = new SaJournal();
  const sas = [parameters('inbound', 500), parameters('outbound', 600)];
  for (const [id, sa] of sas.entries()) journal.asked(id, { kind: 'install', sa });
  journal.answered(0, { ok: false, code: 'exists', detail: '' }, 0);
  journal.abandon(0);
  for (const { encryption } of sas) assert.deepEqual(encryption!.key, new Uint8Array(20));
});

test('at its end a journal has no keys, neither of SAs that stand nor of those that were never answered', () => {
  const journal = new SaJournal();
  const sas = [parameters('inbound', 500), parameters('outbound', 600)];
  for (const [id, sa] of sas.entries()) journal.asked(id, { kind: 'install', sa });
  journal.answered(0, ok, 0);
  journal.close();
  for (const { encryption } of sas) assert.deepEqual(encryption!.key, new Uint8Array(20));
});

test('a journal of which nobody will be told keeps no keys', () => {
  const journal = new SaJournal({ replayed: false });
  const sa = parameters('inbound', 500);
  journal.asked(1, { kind: 'install', sa });
  journal.answered(1, ok, 0);
  assert.deepEqual(sa.encryption!.key, new Uint8Array(20));
  assert.equal(journal.saCount, 1);
});

test('SAs whose installation the dead thread has not answered have failed, and of all else the next thread is told', () => {
  const journal = new SaJournal();
  const installed = [parameters('inbound', 500), parameters('outbound', 600), parameters('inbound', 502)];
  for (const [id, sa] of installed.entries()) {
    journal.asked(id, { kind: 'install', sa });
    journal.answered(id, ok, 0);
  }
  const endpoints = {
    local: { address: address('192.0.2.1'), port: 0 },
    remote: { address: address('192.0.2.9'), port: 0 },
  };
  const move = (spi: number): SaCommand => ({
    ...{ kind: 'update-addresses', protocol: 'esp', direction: 'outbound', spi: spi as Spi, childId: 1 },
    ...{ ...endpoints, encapsulated: false },
  });
  const use = (spi: number): SaCommand => ({
    ...{ kind: 'use-outbound', protocol: 'esp', spi: spi as Spi, childId: 1 },
  });
  const extend = (spi: number): SaCommand => ({
    ...{ kind: 'extend-reservation', protocol: 'esp', direction: 'inbound', spi: spi as Spi, childId: 1 },
    limit: { high: 0, low: 1000 },
  });
  const selectors = { local: [], remote: [] };
  const policy: PolicyParameters = {
    ...{ policyId: 3, action: 'protect', selectors, priority: 1, mode: 'tunnel', childId: 1 },
  };
  const underWay: readonly (readonly [SaCommand, boolean])[] = [
    [removal('inbound', 502), true],
    [extend(502), false],
    [{ kind: 'install', sa: parameters('outbound', 601) }, false],
    [use(601), false],
    [move(601), false],
    [use(600), true],
    [move(600), true],
    [extend(500), true],
    [{ kind: 'install-policy', policy }, true],
    [{ kind: 'install-policy', policy: { ...policy, policyId: 4 } }, true],
    [{ kind: 'remove-policy', policyId: 4 }, true],
  ];
  for (const [i, [command]] of underWay.entries()) journal.asked(10 + i, command);
  assert.deepEqual(
    journal.abandon(0).map(({ id, result }) => [id, result.ok]),
    underWay.map(([, done], i) => [10 + i, done]),
  );
  assert.deepEqual(
    journal.replay(0).map(({ command }) => (command.kind === 'install' ? command.sa.spi : command.kind)),
    [500, 'extend-reservation', 600, 'update-addresses', 'use-outbound', 'install-policy'],
  );
  assert.deepEqual(journal.abandon(0), []);
});

test('an SA is removed wherever it leads now, and another one with its SPI at another peer stays', () => {
  const journal = new SaJournal();
  const [first, second, third] = ['192.0.2.2', '192.0.2.3', '192.0.2.4'].map(address);
  let id = 0;
  const carryOut = (command: SaCommand): void => {
    journal.asked(id, command);
    journal.answered(id++, ok, 0);
  };
  const installed = { ...parameters('outbound', 600), remote: first! };
  carryOut({ kind: 'install', sa: installed });
  carryOut({ kind: 'install', sa: { ...parameters('outbound', 600), remote: second!, childId: 2 } });
  carryOut({ kind: 'use-outbound', protocol: 'esp', spi: 600 as Spi, childId: 1 });
  carryOut({
    ...{ kind: 'update-addresses', protocol: 'esp', direction: 'outbound', spi: 600 as Spi, childId: 1 },
    ...{ local: { address: address('192.0.2.1'), port: 0 }, remote: { address: third!, port: 0 } },
    encapsulated: false,
  });
  const told = (): unknown[] =>
    journal.replay(0).map(({ command }) => (command.kind === 'install' ? command.sa.childId : command.kind));
  assert.deepEqual(told(), [1, 'update-addresses', 2, 'use-outbound'], 'in the order of installation');
  carryOut(removal('outbound', 600, 3));
  assert.equal(journal.saCount, 2, 'that pair has none');
  carryOut(removal('outbound', 600));
  assert.deepEqual(told(), [2], 'nor is it said which SA of its pair sends');
});
