// Why something asked over vici did not happen.

/**
 * - `failed`: the daemon says `success = no`; the message is its `errmsg`
 * - `unknown-command`, `unknown-event`: the daemon has none of that name
 * - `protocol`: the other end does not speak vici as it should; the connection is over
 * - `closed`: the connection ended before the answer came
 * - `overflow`: events came faster than they were read, for too long
 * - `socket`: the socket could not be opened
 */
export type ViciErrorCode =
  | 'failed'
  | 'unknown-command'
  | 'unknown-event'
  | 'protocol'
  | 'closed'
  | 'overflow'
  | 'socket';

export class ViciError extends Error {
  readonly code: ViciErrorCode;

  constructor(code: ViciErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ViciError';
    this.code = code;
  }
}
