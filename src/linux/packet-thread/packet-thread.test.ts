// What a packet thread says of its SAs, and in which order. It has no device: dummy packets are all that it needs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Spi, selectorOfPrefix } from '#sa';
import { dummyOn, installation, listening } from '../testing/listening.ts';

test('what an SA carried last is told before its removal is answered, and what the thread counted after that', async (t) => {
  const { thread, port, said, until, send } = await listening(t);
  thread.apply(1, installation('inbound', 1001, port));
  thread.apply(2, installation('inbound', 1002, port));
  await until('2 true');
  send(dummyOn(1001, port));
  await until('first on 1001');
  thread.apply(3, {
    ...{ kind: 'remove', protocol: 'esp', direction: 'inbound', spi: 1001 as Spi, childId: 1001 },
  });
  await until('3 true');
  await until('dummies: 1');
  assert.deepEqual(
    said.filter((one) => one.startsWith('report') || one.startsWith('3')),
    ['report of 1001: 1', '3 true'],
  );
});

test('an SA is told of that refuses all that comes', async (t) => {
  const { thread, port, until, send } = await listening(t);
  thread.apply(1, installation('inbound', 1001, port));
  await until('1 true');
  const forged = dummyOn(1001, port);
  forged[forged.length - 1] = forged.at(-1)! ^ 1;
  send(forged);
  await until('not authentic on 1001: 1');
  send(forged);
  await until('not authentic on 1001: 2');
});

test('a packet that came before its SA is received once that and its policy stand', async (t) => {
  const { thread, port, said, until, send } = await listening(t);
  send(dummyOn(1003, port));
  await until('unknown 1003');
  thread.apply(1, installation('inbound', 1003, port));
  await until('1 true');
  assert.ok(!said.includes('first on 1003'));
  const selectors = { local: [selectorOfPrefix('10.0.0.0/8')!], remote: [selectorOfPrefix('10.0.0.0/8')!] };
  const policy = {
    policyId: 1003,
    action: 'protect',
    selectors,
    priority: 1,
    mode: 'tunnel',
    childId: 1003,
  } as const;
  thread.apply(2, { kind: 'install-policy', policy });
  await until('first on 1003');
});
