// The usual messages of IKEv2, for captures made to order.
import { Encr, Integ, Ke, Prf } from '#sa';
import {
  AuthMethod,
  ExchangeType,
  IdType,
  type IkeHeader,
  type IkeSpi,
  NotifyType,
  notify,
  type Payload,
  ProtocolId,
  TransformType,
  type WireProposal,
  type WireTransform,
  zeroIkeSpi,
} from '#wire';
import { type CaptureBuilder, clear, ikeHeader, left, right, sealed } from './capture-builder.ts';

const octets = (count: number, value = 1): Uint8Array => new Uint8Array(count).fill(value);
const text = (words: string): Uint8Array => new Uint8Array(Buffer.from(words));

export function transform(type: number, id: number, keyLengthBits?: number): WireTransform {
  return { type, id, attributes: keyLengthBits === undefined ? [] : [{ type: 14, value: keyLengthBits }] };
}

export const gcmProposal: WireProposal = {
  number: 1,
  protocolId: ProtocolId.IKE,
  spi: new Uint8Array(),
  transforms: [
    transform(TransformType.ENCR, Encr.AES_GCM_16, 128),
    transform(TransformType.PRF, Prf.HMAC_SHA2_256),
    transform(TransformType.KE, Ke.CURVE25519),
  ],
};

export const cbcProposal: WireProposal = {
  number: 1,
  protocolId: ProtocolId.IKE,
  spi: new Uint8Array(),
  transforms: [
    transform(TransformType.ENCR, Encr.AES_CBC, 128),
    transform(TransformType.INTEG, Integ.HMAC_SHA2_256_128),
    transform(TransformType.PRF, Prf.HMAC_SHA2_256),
    transform(TransformType.KE, Ke.MODP_2048),
  ],
};

export function espProposal(spi: number): WireProposal {
  const four = new Uint8Array(4);
  new DataView(four.buffer).setUint32(0, spi);
  return {
    number: 1,
    protocolId: ProtocolId.ESP,
    spi: four,
    transforms: [transform(TransformType.ENCR, Encr.AES_GCM_16, 128), transform(TransformType.ESN, 0)],
  };
}

export function initRequest(
  proposals: readonly WireProposal[] = [gcmProposal],
  more: Partial<IkeHeader> = {},
): Uint8Array {
  return clear(ikeHeader(ExchangeType.IKE_SA_INIT, 0, { responderSpi: zeroIkeSpi, ...more }), [
    { type: 'SA', proposals },
    { type: 'KE', group: Ke.CURVE25519, data: octets(32) },
    { type: 'Nonce', data: octets(32) },
  ]);
}

export function initResponse(payloads?: readonly Payload[], more: Partial<IkeHeader> = {}): Uint8Array {
  const header = ikeHeader(ExchangeType.IKE_SA_INIT, 0, { initiator: false, response: true, ...more });
  return clear(
    header,
    payloads ?? [
      { type: 'SA', proposals: [gcmProposal] },
      { type: 'KE', group: Ke.CURVE25519, data: octets(32) },
      { type: 'Nonce', data: octets(32) },
    ],
  );
}

export function request(
  exchangeType: number,
  messageId: number,
  payloads: readonly Payload[],
  more: Partial<IkeHeader> = {},
): Uint8Array {
  return sealed(ikeHeader(exchangeType, messageId, more), payloads)[0]!;
}

export function response(
  exchangeType: number,
  messageId: number,
  payloads: readonly Payload[],
  more: Partial<IkeHeader> = {},
): Uint8Array {
  return sealed(
    ikeHeader(exchangeType, messageId, { initiator: false, response: true, ...more }),
    payloads,
  )[0]!;
}

const selector = (
  last: number,
): {
  tsType: 7;
  protocol: 0;
  startPort: 0;
  endPort: 65535;
  startAddress: Uint8Array;
  endAddress: Uint8Array;
} => ({
  tsType: 7,
  protocol: 0,
  startPort: 0,
  endPort: 65535,
  startAddress: Uint8Array.of(10, last, 0, 0),
  endAddress: Uint8Array.of(10, last, 0, 255),
});
const selectors: Payload[] = [
  { type: 'TSi', selectors: [selector(1)] },
  { type: 'TSr', selectors: [selector(2)] },
];

export function authRequest(spi: number, more: readonly Payload[] = []): Payload[] {
  return [
    { type: 'IDi', idType: IdType.FQDN, data: text('left.example') },
    { type: 'AUTH', method: AuthMethod.SHARED_KEY, data: octets(32) },
    { type: 'SA', proposals: [espProposal(spi)] },
    ...selectors,
    ...more,
  ];
}

export function authResponse(spi: number, more: readonly Payload[] = []): Payload[] {
  return [
    { type: 'IDr', idType: IdType.FQDN, data: text('right.example') },
    { type: 'AUTH', method: AuthMethod.SHARED_KEY, data: octets(32) },
    { type: 'SA', proposals: [espProposal(spi)] },
    ...selectors,
    ...more,
  ];
}

export function createChild(spi: number, rekeys?: number): Payload[] {
  const four = espProposal(rekeys ?? 0).spi;
  return [
    ...(rekeys === undefined ? [] : [notify(NotifyType.REKEY_SA, { protocolId: ProtocolId.ESP, spi: four })]),
    { type: 'SA', proposals: [espProposal(spi)] },
    { type: 'Nonce', data: octets(32) },
    ...selectors,
  ];
}

/** IKE_SA_INIT and IKE_AUTH, with a Child SA whose packets to the left carry `toLeft`. */
export function establish(
  capture: CaptureBuilder,
  toLeft: number,
  toRight: number,
  spis: { readonly initiatorSpi?: IkeSpi; readonly responderSpi?: IkeSpi } = {},
): CaptureBuilder {
  const { initiatorSpi } = spis;
  const begin = initiatorSpi === undefined ? {} : { initiatorSpi };
  return capture
    .ike(left, right, initRequest([gcmProposal], begin))
    .ike(right, left, initResponse(undefined, spis))
    .ike(left, right, request(ExchangeType.IKE_AUTH, 1, authRequest(toLeft), spis), 4500)
    .ike(right, left, response(ExchangeType.IKE_AUTH, 1, authResponse(toRight), spis), 4500);
}
