// Several packet threads as one: what they are asked and say, without a device.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type PolicyParameters, type SaCommand, type Spi, selectorOfPrefix } from '#sa';
import { dummyOn, installation, listening } from '../testing/listening.ts';

const threads = 3;

function removal(direction: 'inbound' | 'outbound', spi: number, childId: number): SaCommand {
  return { kind: 'remove', protocol: 'esp', direction, spi: spi as Spi, childId };
}

function policyOf(childId: number, more: Partial<PolicyParameters> = {}): SaCommand {
  const everything = [selectorOfPrefix('10.0.0.0/8')!];
  const selectors = { local: everything, remote: everything };
  const policy = {
    policyId: childId,
    action: 'protect',
    selectors,
    priority: 1,
    mode: 'tunnel',
    childId,
  } as const;
  return { kind: 'install-policy', policy: { ...policy, ...more } };
}

test('each SA receives, whichever thread it is in, and is counted once', async (t) => {
  const { thread, port, said, until, send } = await listening(t, { threads });
  const spis = [1001, 1002, 1003, 1004];
  for (const spi of spis) thread.apply(spi, installation('inbound', spi, port));
  for (const spi of spis) await until(`${spi} true`);
  for (const spi of spis) send(dummyOn(spi, port));
  for (const spi of spis) await until(`first on ${spi}`);
  for (const spi of spis) await until(`report of ${spi}: 1`);
  await until('dummies: 4');
  assert.equal(said.filter((one) => one.startsWith('first')).length, spis.length);
  assert.ok(!said.some((one) => one.startsWith('unknown')));
});

test('an SA that is gone is unknown, and one that comes again is not', async (t) => {
  const { thread, port, said, until, send } = await listening(t, { threads });
  thread.apply(1, installation('inbound', 1001, port));
  await until('1 true');
  thread.apply(2, removal('inbound', 1001, 1001));
  await until('2 true');
  send(dummyOn(1001, port));
  await until('unknown 1001');
  thread.apply(3, installation('inbound', 1001, port));
  thread.apply(4, policyOf(1001));
  await until('4 true');
  assert.equal(said.filter((one) => /^\d/.test(one)).length, 4);
});

test('every command is answered once, by refusal if any thread refuses', async (t) => {
  const { thread, port, said, until } = await listening(t, { threads });
  thread.apply(1, installation('inbound', 1001, port, 7));
  thread.apply(2, installation('outbound', 5000, port, 7));
  thread.apply(3, policyOf(7));
  thread.apply(4, installation('inbound', 1001, port, 8));
  thread.apply(5, installation('outbound', 5000, port, 8));
  thread.apply(6, policyOf(9, { kernelTies: { inbound: {}, outbound: {} } }));
  thread.apply(7, { kind: 'use-outbound', protocol: 'esp', spi: 5000 as Spi, childId: 7 });
  thread.apply(8, { kind: 'remove-policy', policyId: 7 });
  thread.apply(9, removal('outbound', 5000, 8));
  thread.apply(10, removal('outbound', 5000, 7));
  thread.apply(11, removal('outbound', 5000, 7));
  thread.apply(12, removal('inbound', 1001, 8));
  thread.apply(13, removal('inbound', 1001, 7));
  for (let id = 1; id <= 13; id++) await until(`${id} `);
  assert.deepEqual(
    said.filter((one) => /^\d/.test(one)).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)),
    [
      ...['1 true', '2 true', '3 true', '4 false', '5 false', '6 false'],
      ...['7 true', '8 true', '9 false', '10 true', '11 false', '12 false', '13 true'],
    ],
  );
});

test('tools tell the threads by their names', async (t) => {
  await listening(t, { threads });
  const tasks = readdirSync('/proc/self/task');
  const names = tasks.map((task) => readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim());
  for (let thread = 0; thread < threads; thread++)
    assert.ok(names.includes(`packet-${thread}`), names.join(' '));
});

test('an end closes every thread, and so does a port that is taken', async (t) => {
  const { port } = await listening(t, { threads });
  await assert.rejects(listening(t, { threads, ports: [port, port + 1] }), { code: 'EADDRINUSE' });
});
