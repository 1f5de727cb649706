// Answers to messages that belong to no IKE SA: unprotected, rate limited, never longer than what asked for them.
import { encodeIkeMessage, type IkeHeader, type IkeSpi, NotifyType, notify } from '#wire';
import { TokenBucket } from './token-bucket.ts';

const repliesPerSecond = 10;
const repliesBurst = 20;

/** RFC 7296 1.5, 2.5, 2.21.4 and 2.6, as octets. */
export class StatelessReplies {
  readonly #bucket = new TokenBucket(repliesPerSecond, repliesBurst);

  /** RFC 7296 2.21.4: the SPIs, the exchange type and the Message ID are those of the request. */
  invalidIkeSpi(at: number, header: IkeHeader, requestBytes: number): Uint8Array | undefined {
    return this.#limited(
      at,
      requestBytes,
      this.#reply(header, NotifyType.INVALID_IKE_SPI, new Uint8Array(0)),
    );
  }

  /** RFC 7296 2.5: the reply carries the highest version we speak. */
  invalidMajorVersion(at: number, header: IkeHeader, requestBytes: number): Uint8Array | undefined {
    const ours = { ...header, majorVersion: 2, minorVersion: 0 };
    return this.#limited(
      at,
      requestBytes,
      this.#reply(ours, NotifyType.INVALID_MAJOR_VERSION, Uint8Array.of(0x20)),
    );
  }

  /** RFC 7296 2.6, RFC 5723 4.3.2. Its rate is bounded by that of the requests, which are always longer: nothing is amplified. */
  cookie(header: IkeHeader, cookie: Uint8Array): Uint8Array {
    return encodeIkeMessage({
      header: {
        ...header,
        responderSpi: '0000000000000000' as IkeSpi,
        initiator: false,
        response: true,
      },
      payloads: [notify(NotifyType.COOKIE, { data: cookie })],
    });
  }

  #reply(header: IkeHeader, notifyType: number, data: Uint8Array): Uint8Array {
    return encodeIkeMessage({
      header: { ...header, initiator: !header.initiator, response: true, higherVersion: false },
      payloads: [notify(notifyType, { data })],
    });
  }

  #limited(at: number, requestBytes: number, reply: Uint8Array): Uint8Array | undefined {
    if (reply.length > requestBytes || !this.#bucket.take(at)) return undefined;
    return reply;
  }
}
