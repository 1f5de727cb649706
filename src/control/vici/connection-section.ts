// Connections and policies as vici shows them.
import {
  type ChildConfiguration,
  type ChildSelector,
  type ConnectionConfiguration,
  formatIdentity,
  formatIdentityPattern,
  type RemoteAddress,
} from '#engine';
import { formatRange, formatSelector } from '#sa';
import type { ViciMessage } from '#wire';

const classes = { psk: 'pre-shared key', pubkey: 'public key', any: 'any', eap: 'EAP' } as const;
/** Of the methods that there are, the only one here. */
const eapType = 'EAP_MSCHAPV2';
const actions = { none: 'none', clear: 'none', trap: 'trap', start: 'start', restart: 'start' } as const;

const seconds = (ms: number | undefined): string => String(Math.round((ms ?? 0) / 1000));

function addressText(address: RemoteAddress): string {
  switch (address.kind) {
    case 'any':
      return '%any';
    case 'address':
      return address.address;
    case 'prefix':
      return `${address.prefix.address}/${address.prefix.length}`;
    case 'range':
      return formatRange(address.start, address.end);
    case 'host':
      return address.name;
  }
}

function addresses(patterns: readonly RemoteAddress[]): string[] {
  return patterns.length === 0 ? ['%any'] : patterns.map(addressText);
}

/** `dynamic`, with protocol and ports if it has any. */
export function selectorText(selector: ChildSelector): string {
  if (!('dynamic' in selector)) return formatSelector(selector);
  // Shown like the selector of an address, whose part in brackets is the same.
  const { protocol, startPort, endPort } = selector;
  const all = { protocol, startPort, endPort };
  const shown = formatSelector({ ...all, start: unspecified, end: unspecified });
  return `dynamic${shown.slice(shown.indexOf('/32') + 3)}`;
}

const unspecified = '0.0.0.0' as Extract<ChildSelector, { start: unknown }>['start'];

function childSection(child: ChildConfiguration): ViciMessage {
  return {
    mode: child.mode.toUpperCase(),
    rekey_time: seconds(child.lifetimes.rekeyTimeMs),
    rekey_bytes: String(child.lifetimes.rekeyBytes ?? 0),
    rekey_packets: String(child.lifetimes.rekeyPackets ?? 0),
    dpd_action: actions[child.dpdAction],
    close_action: actions[child.closeAction],
    'local-ts': child.localSelectors.map(selectorText),
    'remote-ts': child.remoteSelectors.map(selectorText),
  };
}

/** @param subject of a DER certificate */
export function connectionSection(
  connection: ConnectionConfiguration,
  subject: (der: Uint8Array) => string,
): ViciMessage {
  const { local, remote } = connection;
  return {
    local_addrs: addresses(connection.localAddresses),
    remote_addrs: addresses(connection.remoteAddresses),
    version: 'IKEv2',
    reauth_time: seconds(connection.reauthTimeMs),
    rekey_time: seconds(connection.rekeyTimeMs),
    unique: `UNIQUE_${connection.unique.toUpperCase()}`,
    ...(connection.dpdDelayMs > 0 ? { dpd_delay: seconds(connection.dpdDelayMs) } : {}),
    'local-1': {
      ...(local.identity === undefined ? {} : { id: formatIdentity(local.identity) }),
      class: classes[local.method],
      ...(local.method === 'eap' && { 'eap-type': eapType }),
      ...(local.eapIdentity !== undefined && { eap_id: formatIdentity(local.eapIdentity) }),
      groups: [],
      cert_policy: [],
      certs: local.certificates.map(subject),
      cacerts: [],
    },
    'remote-1': {
      ...(remote.identity.kind === 'any' ? {} : { id: formatIdentityPattern(remote.identity) }),
      class: classes[remote.method],
      ...(remote.method === 'eap' && { 'eap-type': eapType }),
      ...(remote.eapIdentity !== undefined && { eap_id: formatIdentityPattern(remote.eapIdentity) }),
      groups: [],
      cert_policy: [],
      certs: remote.certificates.map(subject),
      cacerts: remote.authorities.map(subject),
    },
    children: Object.fromEntries(connection.children.map((child) => [child.name, childSection(child)])),
  };
}

export function policySection(connection: string, child: ChildConfiguration): ViciMessage {
  return {
    child: child.name,
    ike: connection,
    mode: child.mode.toUpperCase(),
    'local-ts': child.localSelectors.map(selectorText),
    'remote-ts': child.remoteSelectors.map(selectorText),
  };
}
