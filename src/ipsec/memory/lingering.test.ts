// A replaced inbound SA lets in for a while what was sent before its peer changed over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SaCommand, SaParameters } from '#sa';
import { delivered, eventsOf, flow, ipPacket, receive } from '../testing/fixtures.ts';
import { hosts, seal } from '../testing/hosts.ts';

function removal({ spi, childId }: SaParameters, lingerMs?: number): SaCommand {
  const linger = lingerMs === undefined ? {} : { lingerMs };
  return { kind: 'remove', protocol: 'esp', direction: 'inbound', spi, childId, ...linger };
}

// RFC 7296 2.8
test('a packet that its Delete overtook is let in as long as the SA lingers, and not afterwards', () => {
  const { sender, receiver, receiverSa } = hosts();
  const packets = [0, 1, 2].map(() => seal(sender, ipPacket()));
  assert.deepEqual(receiver.apply(removal(receiverSa, 5_000), 100), { ok: true });
  assert.equal(receiver.deadline(), 5_100);
  receiver.handleTimeout(5_099);
  assert.equal(delivered(receive(receiver, packets[0]!, 5_099)).length, 1);
  assert.equal(delivered(receive(receiver, packets[0]!, 5_099)).length, 0, 'a repetition stays one');
  receiver.handleTimeout(5_100);
  assert.deepEqual(eventsOf(receive(receiver, packets[1]!, 5_101)), ['unknown-spi']);
  assert.equal(receiver.counters('esp', 'inbound', receiverSa.spi), undefined);
  assert.equal(receiver.apply(removal(receiverSa), 5_102).ok, false);
});

test('what lingers does so whatever another pair wants removed', () => {
  const { receiver, receiverSa } = hosts();
  receiver.apply(removal(receiverSa, 5_000), 0);
  for (const lingerMs of [undefined, 9_000])
    assert.equal(receiver.apply(removal({ ...receiverSa, childId: 2 }, lingerMs), 1).ok, false);
  assert.equal(receiver.deadline(), 5_000);
});

test('what lingers without a policy lets nothing in', () => {
  const { sender, receiver, receiverSa } = hosts();
  const packet = seal(sender, ipPacket());
  receiver.apply(removal(receiverSa, 5_000), 0);
  receiver.apply({ kind: 'remove-policy', policyId: 1 }, 0);
  assert.equal(delivered(receive(receiver, packet, 1)).length, 0);
});

test('a removal without a delay ends what lingers, and a new SA takes its SPI at once', () => {
  const { sender, receiver, receiverSa } = hosts();
  receiver.apply(removal(receiverSa, 5_000), 0);
  assert.deepEqual(receiver.apply(removal(receiverSa), 1), { ok: true });
  assert.equal(receiver.deadline(), undefined);
  assert.deepEqual(receiver.apply({ kind: 'install', sa: receiverSa }, 2), { ok: true });

  receiver.apply(removal(receiverSa, 5_000), 3);
  const { sender: nextSender, receiver: next } = flow({ more: { generation: 1 } });
  assert.equal(next.spi, receiverSa.spi);
  assert.deepEqual(receiver.apply({ kind: 'install', sa: next }, 4), { ok: true });
  receiver.handleTimeout(6_000);
  sender.apply(
    {
      kind: 'remove',
      protocol: 'esp',
      direction: 'outbound',
      spi: nextSender.spi,
      childId: nextSender.childId,
    },
    4,
  );
  sender.apply({ kind: 'install', sa: nextSender }, 4);
  assert.equal(delivered(receive(receiver, seal(sender, ipPacket(), 6_001), 6_002)).length, 1);
});
