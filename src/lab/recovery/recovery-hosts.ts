// Two gateways with traffic both ways, equipped as a policy says.
import {
  type ConnectionConfiguration,
  type EngineConfiguration,
  type HipConfiguration,
  hipDefaults,
  type Identity,
  type UnknownSpiConfiguration,
} from '#engine';
import {
  address,
  Encr,
  Esn,
  hitAddress,
  type IpAddress,
  Ke,
  Prf,
  type Proposal,
  selectorOfPrefix,
  type TrafficSelector,
} from '#sa';
import { IdType, TransformType } from '#wire';
import type { Prng } from '../prng.ts';
import type { FlowScenario, HostScenario, LinkQuality, Scenario } from '../scenario.ts';
import { hipIdentities } from './hip-identities.ts';
import { isHip, type RecoveryCell, type RecoveryPolicyName } from './recovery-cell.ts';

/** `a` brings the tunnel up, `b` waits for it. */
export type RecoveryHostName = 'a' | 'b';

interface Equipment {
  readonly unknownSpi: Partial<UnknownSpiConfiguration>;
  readonly resumption: boolean;
  readonly dpdDelayMs: number;
  /** It goes on with its SAs after a restart, in the same boot of its machine. */
  readonly checkpoint?: true;
  /** It speaks HIP in place of IKE. */
  readonly hip?: {
    /** It knows where its peer is: its own traffic and its restart may call it. */
    readonly calls: boolean;
  };
}

const dpdDelayMs = 30_000;
const nothing = {
  policy: 'silent',
  quickCrashDetection: false,
  parallelAttempts: false,
  reestablish: false,
} as const;
const silent: Equipment = { unknownSpi: nothing, resumption: false, dpdDelayMs };
const invalidSpi: Equipment = { ...silent, unknownSpi: { ...nothing, policy: 'shy' } };
const qcd: Equipment = { ...silent, unknownSpi: { ...invalidSpi.unknownSpi, quickCrashDetection: true } };
const qcdResumption: Equipment = { ...qcd, resumption: true };
const fullLadder: Equipment = { unknownSpi: { policy: 'shy' }, resumption: true, dpdDelayMs };
const checkpoint: Equipment = { ...fullLadder, checkpoint: true };

const hipCalling: Equipment = { ...silent, hip: { calls: true } };
const hipCalled: Equipment = { ...silent, hip: { calls: false } };
const hipAnswering: Equipment = { ...hipCalled, unknownSpi: invalidSpi.unknownSpi };
const hipFull: Equipment = { ...hipCalling, unknownSpi: fullLadder.unknownSpi };

const equipments: Readonly<Record<RecoveryPolicyName, Readonly<Record<RecoveryHostName, Equipment>>>> = {
  silent: { a: silent, b: silent },
  'invalid-spi': { a: invalidSpi, b: invalidSpi },
  qcd: { a: qcd, b: qcd },
  'qcd-resumption': { a: qcdResumption, b: qcdResumption },
  'full-ladder': { a: fullLadder, b: fullLadder },
  checkpoint: { a: checkpoint, b: checkpoint },
  // It knows none of it, and does not even ask whether its peer is alive.
  // The responder does not know where its peer is, as a server does not of its clients: it can answer, or be silent.
  'hip-silent': { a: hipCalling, b: hipCalled },
  'hip-parameter-problem': { a: { ...hipCalling, unknownSpi: invalidSpi.unknownSpi }, b: hipAnswering },
  'hip-traps': { a: hipCalling, b: hipCalling },
  'hip-full-ladder': { a: hipFull, b: hipFull },
  'legacy-peer': { a: fullLadder, b: { ...silent, dpdDelayMs: 0 } },
};

interface Places {
  readonly outer: IpAddress;
  readonly network: string;
  readonly inner: IpAddress;
}

const places: Readonly<Record<RecoveryHostName, Places>> = {
  a: { outer: address('192.0.2.1'), network: '10.1.0.0/24', inner: address('10.1.0.7') },
  b: { outer: address('198.51.100.2'), network: '10.2.0.0/24', inner: address('10.2.0.7') },
};
const natInside = address('172.16.0.1');
const natOutside = [address('203.0.113.1'), address('203.0.113.2')];

const packetIntervalMs = 10;
const payloadBytes = 100;

const aesGcm = { type: TransformType.ENCR, id: Encr.AES_GCM_16, keyLengthBits: 128 } as const;
const ikeProposal: Proposal = {
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

export function otherHost(host: RecoveryHostName): RecoveryHostName {
  return host === 'a' ? 'b' : 'a';
}

function octets(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function identity(host: RecoveryHostName): Identity {
  return { idType: IdType.FQDN, data: octets(`${host}.example.org`) };
}

function network(host: RecoveryHostName): TrafficSelector {
  return selectorOfPrefix(places[host].network)!;
}

function connectionOf(host: RecoveryHostName, cell: RecoveryCell): ConnectionConfiguration {
  const equipment = equipments[cell.policy][host];
  const peer = otherHost(host);
  const starts = host === 'a';
  const unreachable = host === 'b' && cell.scenario === 'nat-rebinding';
  return {
    name: 'tunnel',
    localAddresses: [],
    remoteAddresses: unreachable ? [{ kind: 'any' }] : [{ kind: 'address', address: places[peer].outer }],
    localPort: 500,
    remotePort: 500,
    proposals: [ikeProposal],
    local: { method: 'psk', identity: identity(host), certificates: [] },
    remote: {
      method: 'psk',
      identity: { kind: 'exact', identity: identity(peer) },
      certificates: [],
      authorities: [],
      revocation: 'relaxed',
    },
    children: [
      {
        name: 'net',
        mode: 'tunnel',
        proposals: [espProposal],
        localSelectors: [network(host)],
        remoteSelectors: [network(peer)],
        lifetimes: { jitterTimeMs: 0, jitterBytes: 0, jitterPackets: 0 },
        startAction: starts ? 'start' : 'none',
        closeAction: starts ? 'start' : 'none',
        dpdAction: starts ? 'restart' : 'clear',
        policies: true,
        replayWindow: 64,
        copyDf: true,
        copyDscp: 'out',
      },
    ],
    virtualAddresses: [],
    pools: [],
    encap: false,
    mobike: false,
    fragmentation: 'yes',
    fragmentSizeBytes: 1280,
    sendCertreq: true,
    sendCert: 'ifasked',
    unique: 'no',
    dpdDelayMs: equipment.dpdDelayMs,
    // Nothing but the incident replaces an SA.
    rekeyTimeMs: 0,
    reauthTimeMs: 0,
    overTimeMs: 0,
    jitterTimeMs: 0,
    keyingTries: 0,
    // The daemon's defaults.
    retransmit: retransmission,
    windowSize: 1,
    ...(equipment.resumption ? { resumption: { ticketLifetimeMs: 3_600_000, freshKeyExchange: true } } : {}),
  };
}

export const retransmission = { baseMs: 500, factor: 1.5, tries: 12, jitter: 0.1 } as const;

/** The daemon's defaults, but for what would replace an SA without an incident. */
function hipOf(host: RecoveryHostName, calls: boolean): HipConfiguration {
  const peer = otherHost(host);
  const { hit } = hipIdentities[peer].identity;
  return {
    ...hipDefaults,
    identities: [hipIdentities[host]],
    peers: [{ name: peer, hit, addresses: calls ? [places[peer].outer] : [] }],
    rekeyMs: 0,
  };
}

function configurationOf(host: RecoveryHostName, cell: RecoveryCell): EngineConfiguration {
  const equipment = equipments[cell.policy][host];
  return {
    connections: equipment.hip === undefined ? [connectionOf(host, cell)] : [],
    credentials: {
      sharedSecrets: [{ owners: [], secret: octets('known to both sides of the lab') }],
      privateKeys: [],
      certificates: [],
      authorities: [],
      revocationLists: [],
    },
    pools: [],
    ports: { ike: 500, natTraversal: 4500 },
    halfOpen: {
      cookieThreshold: cell.scenario === 'responder-restarts-cookie' ? 0 : 32,
      cookieThresholdPerSource: cell.scenario === 'responder-restarts-cookie' ? 0 : 8,
      halfOpenMax: 64,
      halfOpenTimeoutMs: 30_000,
    },
    natKeepaliveMs: 20_000,
    unknownSpi: equipment.unknownSpi,
    ...(equipment.hip === undefined ? {} : { hip: hipOf(host, equipment.hip.calls) }),
  };
}

/** Whoever takes over has the same disk, and so its records are at home there too. */
const checkpointOptions = { bootId: 'the only boot', acrossBoot: false, maxAgeMs: 600_000 } as const;

function hostOf(host: RecoveryHostName, cell: RecoveryCell, prng: Prng): HostScenario {
  const behindNat = host === 'a' && cell.scenario === 'nat-rebinding';
  const recordKey = prng.bytes(32);
  const keeps = equipments[cell.policy][host].checkpoint === true;
  return {
    name: host,
    address: behindNat ? natInside : places[host].outer,
    configuration: configurationOf(host, cell),
    ...(behindNat ? { nat: { publicAddresses: natOutside, mappingLifetimeMs: 60_000 } } : {}),
    dataPlaneDelayMs: 0,
    computeDelayMs: 1,
    trafficReportMs: 200,
    recordKey,
    ...(keeps ? { checkpoint: { recordKey, options: { ...checkpointOptions, place: host } } } : {}),
  };
}

/** Where packets come from: behind the gateway, or, with HIP, from the host itself, by its HIT. */
function innerAddress(host: RecoveryHostName, { policy }: RecoveryCell): IpAddress {
  return isHip(policy) ? hitAddress(hipIdentities[host].identity.hit) : places[host].inner;
}

function flowFrom(from: RecoveryHostName, cell: RecoveryCell): FlowScenario {
  const to = otherHost(from);
  return {
    from,
    to,
    source: innerAddress(from, cell),
    destination: innerAddress(to, cell),
    intervalMs: packetIntervalMs,
    payloadBytes,
  };
}

/** A network on which nothing befalls a datagram but loss. */
export function linkOf({ rttMs }: RecoveryCell, loss: number): LinkQuality {
  const delayMs = rttMs / 2;
  return { delayMs, jitterMs: 0, loss, duplication: 0, reordering: 0, reorderMs: 0, corruption: 0 };
}

/** Hosts, network and traffic of a cell; what happens is for `runRecovery`. */
export function recoveryHosts(cell: RecoveryCell, seed: number, prng: Prng): Scenario {
  return {
    seed,
    hosts: [hostOf('a', cell, prng), hostOf('b', cell, prng)],
    link: linkOf(cell, 0),
    flows: [flowFrom('a', cell), flowFrom('b', cell)],
    timeline: [],
  };
}
