// Given the virtual addresses a client wants and a lease: the request, the reply, and what the client learns.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { address, addressFromBytes, formatRange, type IpAddress, parsePrefix, prefixRange } from '#sa';
import { CfgAttribute, CfgType, type CpPayload } from '#wire';
import {
  makeConfigurationAck,
  makeConfigurationReply,
  makeConfigurationRequest,
  parseConfigurationReply,
  parseConfigurationRequest,
  subnetAttribute,
} from './configuration-payload.ts';

const reply = (...attributes: CpPayload['attributes']): CpPayload => ({
  type: 'CP',
  cfgType: CfgType.REPLY,
  attributes,
});
const prefix = (text: string): NonNullable<ReturnType<typeof parsePrefix>> => parsePrefix(text)!;

describe('a request for virtual addresses (RFC 7296 3.15)', () => {
  // RFC 7296 3.15.1
  it('is empty for any address, has the prefix octet for IPv6, and asks for DNS of the same families', () => {
    const request = makeConfigurationRequest([address('0.0.0.0'), address('fd00::5')]);
    assert.deepEqual(
      request.attributes.map(({ type, value }) => [type, value.length]),
      [
        [CfgAttribute.INTERNAL_IP4_ADDRESS, 0],
        [CfgAttribute.INTERNAL_IP6_ADDRESS, 17],
        [CfgAttribute.INTERNAL_IP4_DNS, 0],
        [CfgAttribute.INTERNAL_IP6_DNS, 0],
      ],
    );
    assert.equal(request.attributes[1]?.value[16], 128);
  });

  // RFC 7296 2.19
  it('is understood by a server', () => {
    const wanted = ['0.0.0.0', '::', '10.0.0.7', 'fd00::7'].map(address);
    assert.deepEqual(parseConfigurationRequest(makeConfigurationRequest(wanted))?.requested, wanted);
  });

  it('keeps its unknown attributes out of the way, and those of bad length', () => {
    const request: CpPayload = {
      type: 'CP',
      cfgType: CfgType.REQUEST,
      attributes: [
        { type: 16_000, value: new Uint8Array(3) },
        { type: CfgAttribute.INTERNAL_IP4_ADDRESS, value: new Uint8Array(5) },
        { type: CfgAttribute.INTERNAL_IP4_ADDRESS, value: Uint8Array.of(10, 0, 0, 7) },
      ],
    };
    assert.deepEqual(parseConfigurationRequest(request), {
      requested: ['10.0.0.7'],
      types: [16_000, CfgAttribute.INTERNAL_IP4_ADDRESS],
    });
  });

  it('is no reply, and a reply no request', () => {
    assert.equal(parseConfigurationRequest(makeConfigurationAck()), undefined);
    assert.equal(parseConfigurationReply(makeConfigurationRequest([])), undefined);
    assert.deepEqual(makeConfigurationAck(), { type: 'CP', cfgType: CfgType.ACK, attributes: [] });
  });
});

describe('a reply', () => {
  // RFC 7296 3.15
  it('tells the client all of the lease', () => {
    const lease = {
      addresses: [address('10.3.0.1'), address('fd00::1')],
      dns: [address('10.3.0.53'), address('fd00::53')],
      attributes: [
        subnetAttribute(prefix('10.0.0.0/8')),
        subnetAttribute(prefix('fd00::/48')),
        { type: 28_672, value: Uint8Array.of(1) },
      ],
    };
    assert.deepEqual(parseConfigurationReply(makeConfigurationReply(lease)), {
      addresses: lease.addresses,
      dns: lease.dns,
      subnets: [prefix('10.0.0.0/8'), prefix('fd00::/48')],
      other: [{ type: 28_672, value: Uint8Array.of(1) }],
    });
  });

  it('makes a subnet of address and netmask (RFC 7296 3.15.2)', () => {
    const parsed = parseConfigurationReply(
      reply(
        { type: CfgAttribute.INTERNAL_IP4_ADDRESS, value: Uint8Array.of(10, 3, 0, 77) },
        { type: CfgAttribute.INTERNAL_IP4_NETMASK, value: Uint8Array.of(255, 255, 255, 0) },
      ),
    );
    assert.deepEqual(parsed?.subnets, [prefix('10.3.0.0/24')]);
  });

  it('with masks that have holes or lengths beyond the family names no subnet', () => {
    const parsed = parseConfigurationReply(
      reply(
        { type: CfgAttribute.INTERNAL_IP4_SUBNET, value: Uint8Array.of(10, 0, 0, 0, 255, 0, 255, 0) },
        { type: CfgAttribute.INTERNAL_IP6_SUBNET, value: Uint8Array.of(...new Uint8Array(16), 129) },
        { type: CfgAttribute.INTERNAL_IP6_SUBNET, value: new Uint8Array(16) },
        { type: CfgAttribute.INTERNAL_IP4_DNS, value: new Uint8Array(3) },
      ),
    );
    assert.deepEqual([parsed?.subnets, parsed?.dns, parsed?.other.length], [[], [], 4]);
  });

  it('carries any IPv4 or IPv6 subnet there is', () => {
    const v4 = fc.tuple(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.nat(32));
    const v6 = fc.tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(128));
    fc.assert(
      fc.property(fc.oneof(v4, v6), ([octets, length]) => {
        const block = { address: addressFromBytes(octets), length };
        const [subnet] = parseConfigurationReply(reply(subnetAttribute(block)))?.subnets ?? [];
        const { start, end } = prefixRange(block);
        assert.deepEqual(subnet, { address: start, length });
        assert.equal(formatRange(start, end), `${subnet?.address as IpAddress}/${length}`);
      }),
    );
  });
});
