// The Configuration payload: virtual addresses asked for, given and taken (RFC 7296 2.19, 3.15).
import type { IpAddress, Prefix } from '#sa';
import type { CfgAttributeValue, CpPayload } from '#wire';
import type { AddressLease } from './interface.ts';

const todo = (): never => {
  throw new Error('not written yet');
};

/** Client: CFG_REQUEST; the unspecified address asks for any of its family. DNS is asked for in each family. */
export function makeConfigurationRequest(_virtualAddresses: readonly IpAddress[]): CpPayload {
  return todo();
}

/** What a client asks for. `requested` holds `0.0.0.0` or `::` where any address will do. */
export interface ConfigurationRequest {
  readonly requested: readonly IpAddress[];
  /** All attribute types of the request, also those we do not know. */
  readonly types: readonly number[];
}

/** Server. `undefined` if the payload is no CFG_REQUEST; attributes of bad length are ignored. */
export function parseConfigurationRequest(_payload: CpPayload): ConfigurationRequest | undefined {
  return todo();
}

/** Server: CFG_REPLY. DNS and further attributes of the lease are sent for the families that the lease has. */
export function makeConfigurationReply(_lease: AddressLease): CpPayload {
  return todo();
}

/** What the server gave us. */
export interface ConfigurationReply {
  readonly addresses: readonly IpAddress[];
  readonly dns: readonly IpAddress[];
  readonly subnets: readonly Prefix[];
  readonly netmask?: IpAddress;
  /** Attributes not understood above. */
  readonly other: readonly CfgAttributeValue[];
}

/** Client. `undefined` if the payload is no CFG_REPLY. */
export function parseConfigurationReply(_payload: CpPayload): ConfigurationReply | undefined {
  return todo();
}

/** Answers a CFG_SET by accepting nothing: an empty CFG_ACK (RFC 7296 3.15). */
export function makeConfigurationAck(): CpPayload {
  return todo();
}
