import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PacketSlot } from '#ipsec';
import { address, type Endpoint } from '#sa';
import { InboundHeader, type InboundInputs, isOutbound, outboundHeader } from './hand-over-header.ts';

const port = fc.integer({ min: 0, max: 65_535 });
const octet = fc.integer({ min: 0, max: 255 });
const endpoints = [
  fc.tuple(fc.ipV4(), fc.ipV4()),
  fc.tuple(fc.constant('2001:db8::1'), fc.constantFrom('fe80::2', '2001:db8::1', '::ffff:0:1')),
].map((pair) => fc.tuple(pair, port, port));

const inputs: fc.Arbitrary<InboundInputs> = fc
  .tuple(fc.oneof(...endpoints), fc.constantFrom('esp', 'udp', 'ah'), octet, octet)
  .map(([[[local, remote], localPort, remotePort], kind, trafficClass, hopLimit]) => ({
    protocol: kind === 'ah' ? 'ah' : 'esp',
    encapsulated: kind === 'udp',
    trafficClass,
    hopLimit,
    local: { address: address(local), port: localPort },
    remote: { address: address(remote), port: remotePort },
  }));

function inputsOf({
  protocol,
  encapsulated,
  trafficClass,
  hopLimit,
  local,
  remote,
}: PacketSlot): InboundInputs {
  return { protocol, encapsulated, trafficClass, hopLimit, local, remote };
}

test('what one thread writes of a packet another one reads, whatever came before', () => {
  fc.assert(
    fc.property(fc.array(inputs, { minLength: 1, maxLength: 20 }), (all) => {
      const [writer, reader] = [new InboundHeader(), new InboundHeader()];
      const slot = new PacketSlot();
      for (const one of all) {
        const header = writer.of(one);
        assert.equal(isOutbound(header, 0), false);
        reader.read(header, 0, slot);
        assert.deepEqual(inputsOf(slot), one);
      }
    }),
  );
});

test('endpoints of a run of packets are made once', () => {
  const [writer, reader] = [new InboundHeader(), new InboundHeader()];
  const peer = (text: string): Endpoint => ({ address: address(text), port: 4500 });
  const packet = { protocol: 'esp', encapsulated: true, hopLimit: 64 } as const;
  const [local, remote] = [peer('192.0.2.1'), peer('192.0.2.2')];
  const slot = new PacketSlot();
  reader.read(writer.of({ ...packet, trafficClass: 0, local, remote }), 0, slot);
  const first = slot.remote;
  reader.read(writer.of({ ...packet, trafficClass: 8, local, remote }), 0, slot);
  assert.equal(slot.remote, first);
  assert.equal(slot.trafficClass, 8);
});

test('a packet of the device needs no header but its kind', () => {
  assert.equal(isOutbound(outboundHeader, 0), true);
});
