// Connections for tests of whole hosts: two gateways, moon and sun, that share a secret.

import type { ChildConfiguration, ConnectionConfiguration, Credentials, Identity } from '#ike';
import {
  address,
  Encr,
  Esn,
  type IpAddress,
  Ke,
  Prf,
  type Proposal,
  selectorOfPrefix,
  type TrafficSelector,
} from '#sa';
import { IdType, TransformType } from '#wire';

export function text(value: string): Uint8Array {
  return Uint8Array.from(value, (character) => character.charCodeAt(0));
}

function fqdn(name: string): Identity {
  return { idType: IdType.FQDN, data: text(name) };
}

export function block(prefix: string): TrafficSelector {
  const selector = selectorOfPrefix(prefix);
  if (selector === undefined) throw new Error(`${prefix} is no block`);
  return selector;
}

export type HostName = 'moon' | 'sun';

export const addresses: Readonly<Record<HostName, IpAddress>> = {
  moon: address('192.0.2.1'),
  sun: address('192.0.2.2'),
};
const networks: Readonly<Record<HostName, TrafficSelector>> = {
  moon: block('10.1.0.0/16'),
  sun: block('10.2.0.0/16'),
};

function ikeProposal(...groups: readonly number[]): Proposal {
  return {
    protocol: 'ike',
    transforms: [
      { type: TransformType.ENCR, id: Encr.AES_GCM_16, keyLengthBits: 128 },
      { type: TransformType.PRF, id: Prf.HMAC_SHA2_256 },
      ...groups.map((id) => ({ type: TransformType.KE, id })),
    ],
  };
}

function espProposal(...groups: readonly number[]): Proposal {
  return {
    protocol: 'esp',
    transforms: [
      { type: TransformType.ENCR, id: Encr.AES_GCM_16, keyLengthBits: 128 },
      ...groups.map((id) => ({ type: TransformType.KE, id })),
      { type: TransformType.ESN, id: Esn.NO },
    ],
  };
}

const noLifetimes: ChildConfiguration['lifetimes'] = {
  jitterTimeMs: 0,
  jitterBytes: 0,
  jitterPackets: 0,
};

export function child(host: HostName, change: Partial<ChildConfiguration> = {}): ChildConfiguration {
  const other = host === 'moon' ? 'sun' : 'moon';
  return {
    name: 'net',
    mode: 'tunnel',
    proposals: [espProposal()],
    localSelectors: [networks[host]],
    remoteSelectors: [networks[other]],
    lifetimes: noLifetimes,
    startAction: 'none',
    closeAction: 'none',
    dpdAction: 'clear',
    policies: true,
    replayWindow: 64,
    copyDf: true,
    copyDscp: 'out',
    ...change,
  };
}

export function connection(
  host: HostName,
  change: Partial<ConnectionConfiguration> = {},
): ConnectionConfiguration {
  const other = host === 'moon' ? 'sun' : 'moon';
  return {
    name: 'gateway',
    localAddresses: [],
    remoteAddresses: [{ kind: 'address', address: addresses[other] }],
    localPort: 500,
    remotePort: 500,
    proposals: [ikeProposal(Ke.CURVE25519)],
    local: { method: 'psk', identity: fqdn(`${host}.example.org`), certificates: [] },
    remote: {
      method: 'psk',
      identity: { kind: 'exact', identity: fqdn(`${other}.example.org`) },
      certificates: [],
      authorities: [],
      revocation: 'relaxed',
    },
    children: [child(host)],
    virtualAddresses: [],
    pools: [],
    encap: false,
    mobike: false,
    fragmentation: 'yes',
    fragmentSizeBytes: 1280,
    sendCertreq: true,
    sendCert: 'ifasked',
    unique: 'no',
    dpdDelayMs: 0,
    rekeyTimeMs: 0,
    reauthTimeMs: 0,
    overTimeMs: 0,
    jitterTimeMs: 0,
    keyingTries: 1,
    retransmit: { baseMs: 1000, factor: 2, tries: 3, jitter: 0 },
    windowSize: 1,
    ...change,
  };
}

export function sharedSecret(secret: string): Credentials {
  return {
    sharedSecrets: [{ owners: [], secret: text(secret) }],
    privateKeys: [],
    certificates: [],
    authorities: [],
    revocationLists: [],
  };
}
