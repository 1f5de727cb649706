// Making and finding Notify payloads (RFC 7296 3.10).
import { type SaProtocol, type Spi, spiBytes, spiFromBytes } from '#sa';
import { firstStatusNotify, type NotifyPayload, type Payload, ProtocolId } from '#wire';

const empty = new Uint8Array();

export function childProtocolId(protocol: SaProtocol): number {
  return protocol === 'esp' ? ProtocolId.ESP : ProtocolId.AH;
}

export function childProtocolOfId(protocolId: number): SaProtocol | undefined {
  if (protocolId === ProtocolId.ESP) return 'esp';
  return protocolId === ProtocolId.AH ? 'ah' : undefined;
}

/** A notify about the IKE SA itself, or about none: protocol 0, no SPI. */
export function notify(notifyType: number, data: Uint8Array = empty): NotifyPayload {
  return { type: 'N', protocolId: ProtocolId.none, spi: empty, notifyType, data };
}

/** A notify about a Child SA (REKEY_SA, CHILD_SA_NOT_FOUND). */
export function notifyAboutChild(notifyType: number, protocol: SaProtocol, spi: Spi): NotifyPayload {
  return {
    type: 'N',
    protocolId: childProtocolId(protocol),
    spi: spiBytes(spi),
    notifyType,
    data: empty,
  };
}

export function findNotify(payloads: readonly Payload[], notifyType: number): NotifyPayload | undefined {
  return payloads.find(
    (payload): payload is NotifyPayload => payload.type === 'N' && payload.notifyType === notifyType,
  );
}

/** The first notify that reports an error (types below 16384). */
export function findErrorNotify(payloads: readonly Payload[]): NotifyPayload | undefined {
  return payloads.find(
    (payload): payload is NotifyPayload => payload.type === 'N' && payload.notifyType < firstStatusNotify,
  );
}

/** Protocol and SPI of a notify about a Child SA; `undefined` if it names none. */
export function childOfNotify(
  payload: NotifyPayload,
): { readonly protocol: SaProtocol; readonly spi: Spi } | undefined {
  const protocol = childProtocolOfId(payload.protocolId);
  const spi = spiFromBytes(payload.spi);
  return protocol === undefined || spi === undefined ? undefined : { protocol, spi };
}

/** The RFC's name for logs: `NO_PROPOSAL_CHOSEN`, or the number. */
export { notifyTypeName as notifyName } from '#wire';
