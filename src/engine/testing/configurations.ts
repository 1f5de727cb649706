// Configurations for tests: two gateways, moon and sun, that share a secret.
import type {
  ChildConfiguration,
  ConnectionConfiguration,
  Credentials,
  Identity,
  LifetimeConfiguration,
} from '#ike';
import { address, Encr, Esn, type IpAddress, Ke, Prf, type Proposal, selectorOfPrefix } from '#sa';
import { IdType, TransformType } from '#wire';
import type { EngineConfiguration } from '../configuration.ts';

export type HostName = 'moon' | 'sun';

export const addresses: Readonly<Record<HostName, IpAddress>> = {
  moon: address('192.0.2.1'),
  sun: address('192.0.2.2'),
};

const networks: Readonly<Record<HostName, string>> = { moon: '10.1.0.0/16', sun: '10.2.0.0/16' };

export function peerOf(host: HostName): HostName {
  return host === 'moon' ? 'sun' : 'moon';
}

function text(value: string): Uint8Array {
  return Uint8Array.from(value, (character) => character.charCodeAt(0));
}

export function fqdn(name: string): Identity {
  return { idType: IdType.FQDN, data: text(name) };
}

const aesGcm = { type: TransformType.ENCR, id: Encr.AES_GCM_16, keyLengthBits: 128 } as const;
export const ikeProposal: Proposal = {
  protocol: 'ike',
  transforms: [
    aesGcm,
    { type: TransformType.PRF, id: Prf.HMAC_SHA2_256 },
    { type: TransformType.KE, id: Ke.CURVE25519 },
  ],
};
const espProposal: Proposal = {
  protocol: 'esp',
  transforms: [aesGcm, { type: TransformType.ESN, id: Esn.NO }],
};
const noLifetimes: LifetimeConfiguration = { jitterTimeMs: 0, jitterBytes: 0, jitterPackets: 0 };

export function child(host: HostName, change: Partial<ChildConfiguration> = {}): ChildConfiguration {
  return {
    name: 'net',
    mode: 'tunnel',
    proposals: [espProposal],
    localSelectors: [selectorOfPrefix(networks[host])!],
    remoteSelectors: [selectorOfPrefix(networks[peerOf(host)])!],
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
  const peer = peerOf(host);
  return {
    name: 'gateway',
    localAddresses: [],
    remoteAddresses: [{ kind: 'address', address: addresses[peer] }],
    localPort: 500,
    remotePort: 500,
    proposals: [ikeProposal],
    local: { method: 'psk', identity: fqdn(`${host}.example.org`), certificates: [] },
    remote: {
      method: 'psk',
      identity: { kind: 'exact', identity: fqdn(`${peer}.example.org`) },
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

const credentials: Credentials = {
  sharedSecrets: [{ owners: [], secret: text('correct horse battery staple') }],
  privateKeys: [],
  certificates: [],
  authorities: [],
  revocationLists: [],
};

export function configuration(
  host: HostName,
  change: Partial<EngineConfiguration> = {},
): EngineConfiguration {
  return {
    connections: [connection(host)],
    credentials,
    pools: [],
    ports: { ike: 500, natTraversal: 4500 },
    halfOpen: {
      cookieThreshold: 32,
      cookieThresholdPerSource: 8,
      halfOpenMax: 64,
      halfOpenTimeoutMs: 30_000,
    },
    natKeepaliveMs: 20_000,
    ...change,
  };
}
