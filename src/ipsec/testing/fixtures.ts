// Two hosts' SAs and some packets, for the tests of this room.
import { seededRandomness } from '#crypto';
import {
  address,
  addressBytes,
  Encr,
  Integ,
  type IpAddress,
  type PolicyParameters,
  type SaMode,
  type SaParameters,
  type Spi,
  selectorOfPrefix,
  type TrafficSelector,
} from '#sa';
import { encodeIp, IpProtocol, transportChecksum, writeU16 } from '#wire';
import type { DataPlaneOutput } from '../memory/interface.ts';
import type { MemoryDataPlane } from '../memory/memory-data-plane.ts';

export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toHex(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
}

export const testRandomness: ReturnType<typeof seededRandomness> = seededRandomness(
  new Uint8Array(32).fill(7),
);

/** Algorithms of one direction. */
export interface TestSuite {
  readonly name: string;
  readonly encr: number;
  readonly keyLengthBits: number;
  readonly keyBytes: number;
  readonly integ?: number;
  readonly integrityKeyBytes?: number;
}

/** Every construction that ESP can be given. */
export const testSuites: readonly TestSuite[] = [
  suite('AES_GCM_16', 128, 20),
  suite('AES_GCM_16', 256, 36),
  suite('AES_GCM_8', 128, 20),
  suite('AES_GCM_12', 192, 28),
  suite('AES_CCM_8', 128, 19),
  suite('AES_CCM_12', 128, 19),
  suite('AES_CCM_16', 256, 35),
  suite('CHACHA20_POLY1305', 256, 36),
  suite('NULL_AUTH_AES_GMAC', 128, 20),
  suite('AES_CBC', 128, 16, 'HMAC_SHA1_96', 20),
  suite('AES_CBC', 192, 24, 'HMAC_SHA2_256_128', 32),
  suite('AES_CBC', 256, 32, 'HMAC_SHA2_512_256', 64),
  suite('AES_CBC', 128, 16, 'HMAC_SHA2_384_192', 48),
  suite('AES_CBC', 128, 16, 'AES_XCBC_96', 16),
  suite('AES_CBC', 128, 16, 'AES_CMAC_96', 16),
  suite('AES_CTR', 128, 20, 'HMAC_SHA2_256_128', 32),
  suite('3DES', 192, 24, 'HMAC_SHA1_96', 20),
  suite('NULL', 0, 0, 'HMAC_SHA2_256_128', 32),
];

function suite(
  encr: keyof typeof Encr,
  keyLengthBits: number,
  keyBytes: number,
  integ?: keyof typeof Integ,
  integrityKeyBytes?: number,
): TestSuite {
  return {
    name: integ === undefined ? `${encr}-${keyLengthBits}` : `${encr}-${keyLengthBits} ${integ}`,
    encr: Encr[encr],
    keyLengthBits,
    keyBytes,
    ...(integ === undefined ? {} : { integ: Integ[integ], integrityKeyBytes: integrityKeyBytes ?? 0 }),
  };
}

export function selectors(...prefixes: string[]): TrafficSelector[] {
  return prefixes.map((prefix) => selectorOfPrefix(prefix)!);
}

export function keyOctets(count: number, first = 1): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (first + 7 * i) & 0xff);
}

export interface FlowOptions {
  readonly suite?: TestSuite;
  readonly mode?: SaMode;
  readonly esn?: boolean;
  readonly spi?: number;
  readonly childId?: number;
  readonly outer?: 4 | 6;
  readonly encapsulated?: boolean;
  /** Prefixes behind the sender and the receiver. */
  readonly senderSide?: readonly string[];
  readonly receiverSide?: readonly string[];
  readonly more?: Partial<SaParameters>;
}

export const senderOuter: { readonly 4: IpAddress; readonly 6: IpAddress } = {
  4: address('192.0.2.1'),
  6: address('2001:db8::1'),
};
export const receiverOuter: { readonly 4: IpAddress; readonly 6: IpAddress } = {
  4: address('198.51.100.2'),
  6: address('2001:db8::2'),
};

/** One unidirectional flow: the outbound SA of its sender, the inbound SA of its receiver. */
export function flow(options: FlowOptions = {}): {
  readonly sender: SaParameters;
  readonly receiver: SaParameters;
} {
  const algorithms = options.suite ?? testSuites[0]!;
  const outer = options.outer ?? 4;
  const mode = options.mode ?? 'tunnel';
  const inTransport = mode === 'transport';
  const senderSide = selectors(
    ...(options.senderSide ?? (inTransport ? [senderOuter[outer]] : ['10.1.0.0/16', '2001:db8:1::/48'])),
  );
  const receiverSide = selectors(
    ...(options.receiverSide ?? (inTransport ? [receiverOuter[outer]] : ['10.2.0.0/16', '2001:db8:2::/48'])),
  );
  const common = (): Omit<SaParameters, 'direction' | 'local' | 'remote' | 'selectors'> => ({
    protocol: 'esp',
    spi: (options.spi ?? 0xc0ffee01) as Spi,
    mode,
    encryption: {
      id: algorithms.encr,
      keyLengthBits: algorithms.keyLengthBits,
      key: keyOctets(algorithms.keyBytes),
    },
    ...(algorithms.integ === undefined
      ? {}
      : { integrity: { id: algorithms.integ, key: keyOctets(algorithms.integrityKeyBytes ?? 0, 99) } }),
    esn: options.esn ?? false,
    replayWindow: 64,
    lifetimes: {},
    childId: options.childId ?? 1,
    generation: 0,
    copyDscp: 'out',
    copyDf: true,
    ...options.more,
  });
  const encapsulation = options.encapsulated ? { encapsulation: { localPort: 4500, remotePort: 4500 } } : {};
  return {
    sender: {
      ...common(),
      ...encapsulation,
      direction: 'outbound',
      local: senderOuter[outer],
      remote: receiverOuter[outer],
      selectors: { local: senderSide, remote: receiverSide },
    },
    receiver: {
      ...common(),
      ...encapsulation,
      direction: 'inbound',
      local: receiverOuter[outer],
      remote: senderOuter[outer],
      selectors: { local: receiverSide, remote: senderSide },
    },
  };
}

/** A policy with the selectors of an SA. */
export function policyFor(sa: SaParameters, more: Partial<PolicyParameters> = {}): PolicyParameters {
  return {
    policyId: sa.childId,
    action: 'protect',
    selectors: sa.selectors,
    priority: 100,
    mode: sa.mode,
    childId: sa.childId,
    ...more,
  };
}

export interface PacketOptions {
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: number;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly dataBytes?: number;
  readonly trafficClass?: number;
  readonly hopLimit?: number;
  readonly dontFragment?: boolean;
  readonly moreFragments?: boolean;
  readonly fragmentOffset?: number;
}

/** An IP packet; of UDP unless told otherwise. The family is that of the source. */
export function ipPacket(options: PacketOptions = {}): Uint8Array {
  const source = addressBytes(address(options.source ?? '10.1.0.5'));
  const destination = addressBytes(address(options.destination ?? '10.2.0.7'));
  const protocol = options.protocol ?? IpProtocol.UDP;
  const dataBytes = options.dataBytes ?? 20;
  const payload = new Uint8Array(8 + dataBytes);
  for (let i = 8; i < payload.length; i++) payload[i] = i;
  writeU16(payload, 0, options.sourcePort ?? 1024);
  writeU16(payload, 2, options.destinationPort ?? 53);
  if (protocol === IpProtocol.UDP) {
    writeU16(payload, 4, payload.length);
    writeU16(payload, 6, transportChecksum({ source, destination }, protocol, payload) || 0xffff);
  }
  const trafficClass = options.trafficClass ?? 0;
  const common = { dscp: trafficClass >>> 2, ecn: trafficClass & 3, source, destination, protocol, payload };
  if (source.length === 16) {
    return encodeIp({
      ...common,
      version: 6,
      flowLabel: 0,
      hopLimit: options.hopLimit ?? 60,
      extensions: [],
    });
  }
  return encodeIp({
    ...common,
    version: 4,
    identification: 77,
    dontFragment: options.dontFragment ?? false,
    moreFragments: options.moreFragments ?? false,
    fragmentOffset: options.fragmentOffset ?? 0,
    timeToLive: options.hopLimit ?? 60,
    options: new Uint8Array(0),
  });
}

export function drain(plane: MemoryDataPlane): DataPlaneOutput[] {
  const outputs: DataPlaneOutput[] = [];
  for (let output = plane.poll(); output !== undefined; output = plane.poll()) outputs.push(output);
  return outputs;
}

export type Transmit = Extract<DataPlaneOutput, { kind: 'transmit' }>;

export function transmitted(outputs: readonly DataPlaneOutput[]): Transmit[] {
  return outputs.filter((output) => output.kind === 'transmit');
}

export function delivered(outputs: readonly DataPlaneOutput[]): Uint8Array[] {
  return outputs.flatMap((output) => (output.kind === 'deliver' ? [output.packet] : []));
}

export function eventsOf(outputs: readonly DataPlaneOutput[]): string[] {
  return outputs.flatMap((output) => (output.kind === 'event' ? [output.event.kind] : []));
}

/** Hands a packet from the wire to its receiver. */
export function receive(
  plane: MemoryDataPlane,
  packet: Transmit,
  at: number,
  more: Partial<Parameters<MemoryDataPlane['inbound']>[0]> = {},
): DataPlaneOutput[] {
  plane.inbound(
    {
      local: packet.remote,
      remote: packet.local,
      protocol: packet.protocol,
      octets: packet.octets,
      trafficClass: packet.trafficClass,
      hopLimit: packet.hopLimit,
      ...more,
    },
    at,
  );
  return drain(plane);
}
