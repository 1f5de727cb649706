// IKEv2 messages (RFC 7296 section 3, RFC 7383): octets <-> typed payloads.
export { decodePayloads, encodePayloads, unknownCriticalPayload } from './chain.ts';
export { decodeIkeHeader, ikeHeaderLength, type ReceivedIkeHeader } from './header.ts';
export { keyExchangeData } from './ke.ts';
export { ikeLimits } from './limits.ts';
export { decodeIkeMessage, encodeIkeMessage } from './message.ts';
export { decodeMessageIdSync, encodeMessageIdSync, type MessageIdSync } from './message-id-sync.ts';
export {
  cfgAttributeName,
  cfgTypeName,
  exchangeTypeName,
  notifyTypeName,
  payloadTypeName,
  protocolName,
} from './names.ts';
export { notify } from './notify.ts';
export * from './payloads.ts';
export {
  encodeSealedMessage,
  type SealedMessageBuffer,
  type SealedMessageShape,
  sealedPayload,
} from './sealed-message.ts';
export { ikeSpiBytes, ikeSpiFromBytes } from './spi.ts';
export { ikeMessageSummary, payloadSummary } from './summary.ts';
export { decodeTicketWithLifetime, encodeTicketWithLifetime, type TicketWithLifetime } from './ticket.ts';
