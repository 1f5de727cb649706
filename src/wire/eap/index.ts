// EAP (RFC 3748) and the one method that IKE is used with here, MSCHAPv2.
export {
  decodeMsChapRequest,
  decodeMsChapResponse,
  encodeMsChapRequest,
  encodeMsChapResponse,
  type MsChapRequest,
  type MsChapResponse,
} from './mschapv2.ts';
export * from './packet.ts';
