// The data of IKEV2_MESSAGE_ID_SYNC: where both directions of an IKE SA go on counting (RFC 6311 6.3).
import { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';

export interface MessageIdSync {
  /** 4 octets, the same in request and response. */
  readonly nonce: Uint8Array;
  /** Message ID of the sender's next request: EXPECTED_SEND_REQ_MESSAGE_ID. */
  readonly nextSent: number;
  /** Message ID of the next request that the sender takes: EXPECTED_RECV_REQ_MESSAGE_ID. */
  readonly nextReceived: number;
}

const nonceBytes = 4;

/** @throws WireError `value` if a nonce has not 4 octets or an ID not 32 bits */
export function encodeMessageIdSync({ nonce, nextSent, nextReceived }: MessageIdSync): Uint8Array {
  const writer = new Writer(12);
  if (nonce.length !== nonceBytes) throw writer.fail('value', 'MESSAGE_ID_SYNC.nonce');
  return writer
    .bytes(nonce)
    .u32(nextSent, 'MESSAGE_ID_SYNC.send')
    .u32(nextReceived, 'MESSAGE_ID_SYNC.receive')
    .finish();
}

/** @throws WireError `truncated`, `trailing` */
export function decodeMessageIdSync(data: Uint8Array): MessageIdSync {
  const reader = new Reader(data);
  const nonce = reader.bytes(nonceBytes, 'MESSAGE_ID_SYNC.nonce').slice();
  const nextSent = reader.u32('MESSAGE_ID_SYNC.send');
  const nextReceived = reader.u32('MESSAGE_ID_SYNC.receive');
  reader.end('MESSAGE_ID_SYNC');
  return { nonce, nextSent, nextReceived };
}
