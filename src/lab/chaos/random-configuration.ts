// Two gateways that a seed configures: algorithms, lifetimes, timers, who starts, what stands between them.
import type {
  ChildConfiguration,
  ConnectionConfiguration,
  Credentials,
  EngineConfiguration,
  Identity,
  LifetimeConfiguration,
  RemoteAddress,
} from '#engine';
import {
  address,
  Encr,
  Esn,
  Integ,
  type IpAddress,
  Ke,
  Prf,
  type Proposal,
  selectorOfPrefix,
  type Transform,
} from '#sa';
import { IdType, TransformType } from '#wire';
import type { Prng } from '../prng.ts';
import type { HostScenario } from '../scenario.ts';

export type SideName = 'left' | 'right';

/** Certificates and keys of both sides, for the seeds that authenticate with them. */
export interface LabCertificates {
  readonly authority: Uint8Array;
  readonly left: Pick<Credentials, 'privateKeys' | 'certificates'>;
  readonly right: Pick<Credentials, 'privateKeys' | 'certificates'>;
}

/** Who brings the tunnel up. */
export type StartMode = 'left' | 'both' | 'traps';

/** What both sides have in common. */
export interface Terms {
  readonly family: 4 | 6;
  readonly nat: boolean;
  readonly start: StartMode;
  readonly encapsulated: boolean;
  readonly certificates: LabCertificates | undefined;
  readonly retransmit: ConnectionConfiguration['retransmit'];
  readonly dpdDelayMs: number;
  readonly rekeyTimeMs: number;
  readonly windowSize: number;
  readonly fragmentation: 'yes' | 'no';
  readonly fragmentSizeBytes: number;
  readonly unique: ConnectionConfiguration['unique'];
  readonly lifetimes: LifetimeConfiguration;
  readonly ike: Readonly<Record<SideName, Proposal>>;
  readonly esp: Readonly<Record<SideName, Proposal>>;
  readonly cookieThreshold: number;
  /** Both sides are willing to do MOBIKE (RFC 4555). */
  readonly mobike: boolean;
}

interface Places {
  readonly outer: IpAddress;
  readonly network: string;
  readonly inner: IpAddress;
  readonly second: IpAddress;
}

const places: Readonly<Record<4 | 6, Readonly<Record<SideName, Places>>>> = {
  4: {
    left: {
      outer: address('192.0.2.1'),
      network: '10.1.0.0/24',
      inner: address('10.1.0.7'),
      second: address('10.1.0.8'),
    },
    right: {
      outer: address('198.51.100.2'),
      network: '10.2.0.0/24',
      inner: address('10.2.0.7'),
      second: address('10.2.0.8'),
    },
  },
  6: {
    left: {
      outer: address('2001:db8:1::1'),
      network: 'fd00:1::/64',
      inner: address('fd00:1::7'),
      second: address('fd00:1::8'),
    },
    right: {
      outer: address('2001:db8:2::2'),
      network: 'fd00:2::/64',
      inner: address('fd00:2::7'),
      second: address('fd00:2::8'),
    },
  },
};

export function placesOf(family: 4 | 6, side: SideName): Places {
  return places[family][side];
}

const natInside = { 4: address('172.16.0.1'), 6: address('fd99::1') } as const;
const natOutside = {
  4: [address('203.0.113.1'), address('203.0.113.2'), address('203.0.113.3')],
  6: [address('2001:db8:a::1'), address('2001:db8:a::2'), address('2001:db8:a::3')],
} as const;

export function otherSide(side: SideName): SideName {
  return side === 'left' ? 'right' : 'left';
}

function ikeProposal(encr: Transform, prf: number, groups: readonly number[], integ?: number): Proposal {
  return {
    protocol: 'ike',
    transforms: [
      encr,
      { type: TransformType.PRF, id: prf },
      ...(integ === undefined ? [] : [{ type: TransformType.INTEG, id: integ }]),
      ...groups.map((id) => ({ type: TransformType.KE, id })),
    ],
  };
}

function espProposal(encr: Transform, groups: readonly number[], esn: number, integ?: number): Proposal {
  return {
    protocol: 'esp',
    transforms: [
      encr,
      ...(integ === undefined ? [] : [{ type: TransformType.INTEG, id: integ }]),
      ...groups.map((id) => ({ type: TransformType.KE, id })),
      { type: TransformType.ESN, id: esn },
    ],
  };
}

const aesGcm: Transform = { type: TransformType.ENCR, id: Encr.AES_GCM_16, keyLengthBits: 128 };
const aesGcm256: Transform = { type: TransformType.ENCR, id: Encr.AES_GCM_16, keyLengthBits: 256 };
const aesCbc: Transform = { type: TransformType.ENCR, id: Encr.AES_CBC, keyLengthBits: 128 };
const chacha: Transform = { type: TransformType.ENCR, id: Encr.CHACHA20_POLY1305 };

/** Mostly what is quick, now and then something else. */
function randomSuites(prng: Prng): Pick<Terms, 'ike' | 'esp'> {
  const esn = prng.chance(0.3) ? Esn.YES : Esn.NO;
  const pfs = prng.chance(0.25) ? [Ke.CURVE25519] : [];
  const both = (proposal: Proposal): Readonly<Record<SideName, Proposal>> => ({
    left: proposal,
    right: proposal,
  });
  switch (prng.below(40)) {
    case 0:
      return {
        ike: both(ikeProposal(aesCbc, Prf.HMAC_SHA2_256, [Ke.CURVE25519], Integ.HMAC_SHA2_256_128)),
        esp: both(espProposal(aesCbc, pfs, esn, Integ.HMAC_SHA2_256_128)),
      };
    case 1:
      return {
        ike: both(ikeProposal(chacha, Prf.HMAC_SHA2_512, [Ke.CURVE25519])),
        esp: both(espProposal(chacha, pfs, esn)),
      };
    case 2:
      return {
        ike: both(ikeProposal(aesGcm256, Prf.HMAC_SHA2_384, [Ke.ECP_256])),
        esp: both(espProposal(aesGcm256, [Ke.ECP_256], esn)),
      };
    case 3:
    case 4:
      // The sides prefer different groups: the first guess is refused with INVALID_KE_PAYLOAD.
      return {
        ike: {
          left: ikeProposal(aesGcm, Prf.HMAC_SHA2_256, [Ke.ECP_256, Ke.CURVE25519]),
          right: ikeProposal(aesGcm, Prf.HMAC_SHA2_256, [Ke.CURVE25519]),
        },
        esp: {
          left: espProposal(aesGcm, [Ke.ECP_256, Ke.CURVE25519], esn),
          right: espProposal(aesGcm, [Ke.CURVE25519], esn),
        },
      };
    default:
      return {
        ike: both(ikeProposal(aesGcm, Prf.HMAC_SHA2_256, [Ke.CURVE25519])),
        esp: both(espProposal(aesGcm, pfs, esn)),
      };
  }
}

function randomLifetimes(prng: Prng): LifetimeConfiguration {
  const rekeyTimeMs = prng.between(4_000, 20_000);
  const byPackets = prng.chance(0.3);
  return {
    rekeyTimeMs,
    lifeTimeMs: 2 * rekeyTimeMs + 4_000,
    jitterTimeMs: prng.between(0, 1_000),
    jitterBytes: 0,
    jitterPackets: 0,
    ...(byPackets ? { rekeyPackets: prng.between(8, 40) } : {}),
  };
}

/** @param mobility apart from all else, so that a seed without MOBIKE is what it was before there was any */
export function randomTerms(prng: Prng, certificates: LabCertificates | undefined, mobility: Prng): Terms {
  const nat = prng.chance(0.3);
  const start: StartMode = nat
    ? prng.pick(['left', 'left', 'traps'] as const)
    : prng.pick(['left', 'both', 'traps'] as const);
  return {
    family: prng.chance(0.2) ? 6 : 4,
    nat,
    start,
    encapsulated: prng.chance(0.2),
    certificates: prng.chance(0.03) ? certificates : undefined,
    retransmit: {
      baseMs: prng.between(200, 350),
      factor: 1.5,
      tries: 4,
      jitter: prng.chance(0.5) ? 0.25 : 0,
    },
    dpdDelayMs: prng.between(1_500, 3_000),
    rekeyTimeMs: prng.chance(0.3) ? 0 : prng.between(6_000, 25_000),
    windowSize: prng.pick([1, 1, 1, 2, 4]),
    fragmentation: prng.chance(0.2) ? 'no' : 'yes',
    fragmentSizeBytes: prng.pick([1280, 1280, 280]),
    unique: prng.pick(['no', 'replace', 'replace', 'never', 'keep'] as const),
    lifetimes: randomLifetimes(prng),
    ...randomSuites(prng),
    cookieThreshold: prng.pick([0, 2, 8]),
    mobike: mobility.chance(0.5),
  };
}

function text(value: string): Uint8Array {
  return Uint8Array.from(value, (letter) => letter.charCodeAt(0));
}

function identity(side: SideName): Identity {
  return { idType: IdType.FQDN, data: text(`${side}.example.org`) };
}

function childOf(side: SideName, terms: Terms): ChildConfiguration {
  const { family, start } = terms;
  const starts = side === 'left' || (start === 'both' && !terms.nat);
  const traps = start === 'traps' && (side === 'left' || !terms.nat);
  const active = start === 'traps' ? traps : starts;
  const again = start === 'traps' ? 'trap' : 'start';
  return {
    name: 'net',
    mode: 'tunnel',
    proposals: [terms.esp[side]],
    localSelectors: [selectorOfPrefix(placesOf(family, side).network)!],
    remoteSelectors: [selectorOfPrefix(placesOf(family, otherSide(side)).network)!],
    lifetimes: terms.lifetimes,
    startAction: active ? again : 'none',
    closeAction: active ? again : 'none',
    dpdAction: active ? (start === 'traps' ? 'trap' : 'restart') : 'clear',
    policies: true,
    replayWindow: 64,
    copyDf: true,
    copyDscp: 'out',
  };
}

/** Whether left is the client of every IKE SA, and may be anywhere. */
export function mayMove({ mobike, start }: Terms): boolean {
  return mobike && start === 'left';
}

/** Where left goes; behind a NAT, inside of it. */
export function placesToMove({ family, nat }: Pick<Terms, 'family' | 'nat'>): readonly IpAddress[] {
  if (nat)
    return family === 6
      ? [address('fd99::2'), address('fd99::3')]
      : [address('172.16.0.2'), address('172.16.0.3')];
  return family === 6
    ? [address('2001:db8:1::8'), address('2001:db8:5::1'), address('2001:db8:6::1')]
    : [address('192.0.2.8'), address('192.0.2.130'), address('203.0.113.200')];
}

function remoteAddressesOf(side: SideName, terms: Terms, byName: boolean): RemoteAddress[] {
  if (side === 'right' && (terms.nat || mayMove(terms))) return [{ kind: 'any' }];
  if (byName) return [{ kind: 'host', name: otherSide(side) }];
  return [{ kind: 'address', address: placesOf(terms.family, otherSide(side)).outer }];
}

function connectionOf(side: SideName, terms: Terms, byName: boolean): ConnectionConfiguration {
  const method = terms.certificates === undefined ? 'psk' : 'pubkey';
  return {
    name: 'tunnel',
    localAddresses: [],
    remoteAddresses: remoteAddressesOf(side, terms, byName),
    localPort: 500,
    remotePort: 500,
    proposals: [terms.ike[side]],
    local: {
      method,
      identity: identity(side),
      certificates: terms.certificates?.[side].certificates.slice(0, 1) ?? [],
    },
    remote: {
      method,
      identity: { kind: 'exact', identity: identity(otherSide(side)) },
      certificates: [],
      authorities: [],
      revocation: 'relaxed',
    },
    children: [childOf(side, terms)],
    virtualAddresses: [],
    pools: [],
    encap: terms.encapsulated,
    mobike: terms.mobike,
    fragmentation: terms.fragmentation,
    fragmentSizeBytes: terms.fragmentSizeBytes,
    sendCertreq: true,
    sendCert: 'ifasked',
    unique: terms.unique,
    dpdDelayMs: terms.dpdDelayMs,
    rekeyTimeMs: terms.rekeyTimeMs,
    reauthTimeMs: 0,
    overTimeMs: terms.rekeyTimeMs === 0 ? 0 : terms.rekeyTimeMs + 10_000,
    jitterTimeMs: Math.floor(terms.rekeyTimeMs / 10),
    keyingTries: 0,
    retransmit: terms.retransmit,
    windowSize: terms.windowSize,
  };
}

function configurationOf(side: SideName, terms: Terms, byName: boolean): EngineConfiguration {
  const own = terms.certificates?.[side];
  return {
    connections: [connectionOf(side, terms, byName)],
    credentials: {
      sharedSecrets: [{ owners: [], secret: text('known to both sides of the lab') }],
      privateKeys: own?.privateKeys ?? [],
      certificates: own?.certificates ?? [],
      authorities: terms.certificates === undefined ? [] : [terms.certificates.authority],
      revocationLists: [],
    },
    pools: [],
    ports: { ike: 500, natTraversal: 4500 },
    halfOpen: {
      cookieThreshold: terms.cookieThreshold,
      cookieThresholdPerSource: 3,
      halfOpenMax: 16,
      halfOpenTimeoutMs: 10_000,
    },
    natKeepaliveMs: 10_000,
    // As many SPIs as a short life sees, and few enough for the ring to come round.
    unknownSpi: { historySize: 32 },
  };
}

export function randomHost(side: SideName, terms: Terms, prng: Prng): HostScenario {
  const { family, nat } = terms;
  const behindNat = nat && side === 'left';
  return {
    name: side,
    address: behindNat ? natInside[family] : placesOf(family, side).outer,
    ...(side === 'left' && mayMove(terms) ? { laterAddresses: placesToMove(terms) } : {}),
    configuration: configurationOf(side, terms, prng.chance(0.3)),
    ...(behindNat
      ? { nat: { publicAddresses: natOutside[family], mappingLifetimeMs: prng.pick([15_000, 60_000]) } }
      : {}),
    dataPlaneDelayMs: prng.chance(0.3) ? prng.between(1, 5) : 0,
    computeDelayMs: prng.between(0, 3),
  };
}
