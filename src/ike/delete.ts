// Delete payloads <-> SPIs (RFC 7296 1.4.1, 3.11).
import type { SaProtocol, Spi } from '#sa';
import type { DeletePayload, Payload } from '#wire';

const todo = (): never => {
  throw new Error('not written yet');
};

export function deleteIkeSa(): DeletePayload {
  return todo();
}

/** @param spis our inbound SPIs: those the peer sends with */
export function deleteChildSas(_protocol: SaProtocol, _spis: readonly Spi[]): DeletePayload {
  return todo();
}

/** All that the Delete payloads of a message ask for, each SPI once; payloads that make no sense are left out. */
export function requestedDeletes(_payloads: readonly Payload[]): {
  readonly ike: boolean;
  readonly children: readonly { readonly protocol: SaProtocol; readonly spi: Spi }[];
} {
  return todo();
}
