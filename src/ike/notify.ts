// Making and finding Notify payloads (RFC 7296 3.10).
import type { SaProtocol, Spi } from '#sa';
import type { NotifyPayload, Payload } from '#wire';

const todo = (): never => {
  throw new Error('not written yet');
};

/** A notify about the IKE SA itself, or about none: protocol 0, no SPI. */
export function notify(_notifyType: number, _data?: Uint8Array): NotifyPayload {
  return todo();
}

/** A notify about a Child SA (REKEY_SA, CHILD_SA_NOT_FOUND). */
export function notifyAboutChild(_notifyType: number, _protocol: SaProtocol, _spi: Spi): NotifyPayload {
  return todo();
}

export function findNotify(_payloads: readonly Payload[], _notifyType: number): NotifyPayload | undefined {
  return todo();
}

/** The first notify that reports an error (types below 16384). */
export function findErrorNotify(_payloads: readonly Payload[]): NotifyPayload | undefined {
  return todo();
}

/** Protocol and SPI of a notify about a Child SA; `undefined` if it names none. */
export function childOfNotify(
  _payload: NotifyPayload,
): { readonly protocol: SaProtocol; readonly spi: Spi } | undefined {
  return todo();
}

/** The RFC's name for logs: `NO_PROPOSAL_CHOSEN`, or the number. */
export function notifyName(_notifyType: number): string {
  return todo();
}
