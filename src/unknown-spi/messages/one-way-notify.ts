// INVALID_SPI: as a payload for an INFORMATIONAL under an IKE SA, and as a one-way message outside of any.
import type { Randomness } from '#crypto';
import { spiBytes } from '#sa';
import {
  ExchangeType,
  encodeIkeMessage,
  type IkeSpi,
  ikeSpiFromBytes,
  type NotifyPayload,
  NotifyType,
  notify,
  zeroIkeSpi,
} from '#wire';
import { tokenNotify } from '../crash-detection/token.ts';

/** RFC 7296 1.5, 3.10.1: the SPI is notification data; the payload itself is about no SA. */
export function invalidSpiNotify(spi: number): NotifyPayload {
  return notify(NotifyType.INVALID_SPI, { data: spiBytes(spi) });
}

/** What goes into the header where no IKE SPI would mean anything. Both are acceptable (RFC 7296 1.5). */
export function meaninglessSpis(randomness: Randomness | undefined): OneWaySpis {
  const draw = (): IkeSpi => (randomness === undefined ? zeroIkeSpi : ikeSpiFromBytes(randomness.bytes(8)));
  return { initiatorSpi: draw(), responderSpi: draw() };
}

export interface OneWaySpis {
  readonly initiatorSpi: IkeSpi;
  readonly responderSpi: IkeSpi;
}

/**
 * A one-way message about an ESP or AH packet (RFC 7296 1.5): I set, R clear, no exchange, so the Message ID is 0 and
 * nobody answers. With tokens (RFC 6290 8.2) the header names the IKE SA that they are about, so that a taker finds it.
 */
export function unprotectedInvalidSpi(
  spi: number,
  spis: OneWaySpis,
  tokens: readonly Uint8Array[],
): Uint8Array {
  return encodeIkeMessage({
    header: {
      ...spis,
      majorVersion: 2,
      minorVersion: 0,
      exchangeType: ExchangeType.INFORMATIONAL,
      initiator: true,
      response: false,
      higherVersion: false,
      messageId: 0,
    },
    payloads: [invalidSpiNotify(spi), ...tokens.map(tokenNotify)],
  });
}
