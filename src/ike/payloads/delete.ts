// Delete payloads <-> SPIs (RFC 7296 1.4.1, 3.11).
import { type SaProtocol, type Spi, spiBytes, spiFromBytes } from '#sa';
import { type DeletePayload, type Payload, ProtocolId } from '#wire';
import { childProtocolId, childProtocolOfId } from './notify.ts';

/** The IKE SA that carries the message. */
export function deleteIkeSa(): DeletePayload {
  return { type: 'D', protocolId: ProtocolId.IKE, spiSize: 0, spis: [] };
}

/** @param spis our inbound SPIs: those the peer sends with */
export function deleteChildSas(protocol: SaProtocol, spis: readonly Spi[]): DeletePayload {
  return { type: 'D', protocolId: childProtocolId(protocol), spiSize: 4, spis: spis.map(spiBytes) };
}

/** All that the Delete payloads of a message ask for, each SPI once; payloads that make no sense are left out. */
export function requestedDeletes(payloads: readonly Payload[]): {
  readonly ike: boolean;
  /** SPIs of the peer's choice: our outbound ones. */
  readonly children: readonly { readonly protocol: SaProtocol; readonly spi: Spi }[];
} {
  let ike = false;
  const children = new Map<string, { protocol: SaProtocol; spi: Spi }>();
  for (const payload of payloads) {
    if (payload.type !== 'D') continue;
    if (payload.protocolId === ProtocolId.IKE && payload.spis.length === 0) ike = true;
    const protocol = childProtocolOfId(payload.protocolId);
    if (protocol === undefined) continue;
    for (const octets of payload.spis) {
      const spi = spiFromBytes(octets);
      if (spi !== undefined) children.set(`${protocol} ${spi}`, { protocol, spi });
    }
  }
  return { ike, children: [...children.values()] };
}
