// HIP's answer to an unknown SPI: an ICMP Parameter Problem that points at it, out of the same budgets (RFC 7402 5.4.1).
import { addressBytes, isIpv6, spiBytes, type UnknownSpiEvidence } from '#sa';
import { ipOverheadBytes, parameterProblem, type SpiRecord, type UnknownSpiPolicy } from '#unknown-spi';
import { encodeIpv4, encodeIpv6, IpProtocol } from '#wire';
import type { EngineState } from '../engine-state.ts';
import type { ReplyOutcome } from '../interface.ts';

const udpHeaderBytes = 8;

export function sendParameterProblem(
  state: EngineState,
  evidence: UnknownSpiEvidence,
  known: { readonly policy: UnknownSpiPolicy; readonly record: SpiRecord | undefined },
): ReplyOutcome {
  const { recovery } = state;
  const { source, destination, encapsulated } = evidence;
  const packet = refusedPacket(evidence);
  const headerBytes = isIpv6(source.address) ? 40 : 20;
  const spiAt = headerBytes + (encapsulated ? udpHeaderBytes : 0);
  const ends = { from: destination.address, to: source.address };
  const octets = parameterProblem(packet, spiAt, ends, 8 + packet.length);
  if (octets === undefined) return 'nothing-to-send';
  const refusal = recovery.budget.spend(
    {
      destination: source.address,
      ipBytes: octets.length + ipOverheadBytes(source.address, false),
      policy: known.policy,
      known: known.record !== undefined,
      rebootAware: recovery.rebootAware(state.at, state.unknownSpi),
    },
    state.at,
  );
  if (refusal !== undefined) return refusal;
  state.outputs.push({ kind: 'icmp', local: destination.address, remote: source.address, octets });
  return 'sent';
}

/**
 * The beginning of the packet that is refused, as far as a quote needs it: addresses, ports, SPI and sequence number are
 * the packet's, and its length is; what else stood in its IP header is not known any more.
 */
function refusedPacket({
  protocol,
  spi,
  sequence,
  source,
  destination,
  encapsulated,
  lengthBytes,
  flowLabel,
}: UnknownSpiEvidence): Uint8Array {
  const inner = new Uint8Array(8);
  inner.set(spiBytes(spi));
  inner.set(spiBytes(sequence ?? 0), 4);
  const payload = encapsulated ? inUdp(inner, source.port, destination.port, lengthBytes) : inner;
  const number = encapsulated ? IpProtocol.UDP : protocol === 'ah' ? IpProtocol.AH : IpProtocol.ESP;
  const common = {
    dscp: 0,
    ecn: 0,
    source: addressBytes(source.address),
    destination: addressBytes(destination.address),
    protocol: number,
    payload,
  };
  const restBytes = lengthBytes - inner.length;
  if (isIpv6(source.address)) {
    const packet = encodeIpv6({
      version: 6,
      ...common,
      flowLabel: flowLabel ?? 0,
      hopLimit: 64,
      extensions: [],
    });
    claimLength(packet, 4, payload.length + restBytes);
    return packet;
  }
  const packet = encodeIpv4({
    version: 4,
    ...common,
    timeToLive: 64,
    identification: 0,
    dontFragment: false,
    moreFragments: false,
    fragmentOffset: 0,
    options: new Uint8Array(0),
  });
  claimLength(packet, 2, packet.length + restBytes);
  return packet;
}

function inUdp(
  inner: Uint8Array,
  sourcePort: number,
  destinationPort: number,
  lengthBytes: number,
): Uint8Array {
  const datagram = new Uint8Array(udpHeaderBytes + inner.length);
  const view = new DataView(datagram.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, udpHeaderBytes + lengthBytes);
  datagram.set(inner, udpHeaderBytes);
  return datagram;
}

/** The length of the whole packet, of which only the beginning is here. */
function claimLength(packet: Uint8Array, at: number, length: number): void {
  new DataView(packet.buffer, packet.byteOffset).setUint16(at, Math.min(length, 0xffff));
}
