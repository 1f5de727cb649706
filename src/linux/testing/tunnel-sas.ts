// The SAs of a tunnel without keying: fixed keys, which whoever knows what an end was told can derive.
import {
  address,
  type SaCommand,
  type SaDirection,
  type SaParameters,
  type Spi,
  selectorOfPrefix,
} from '#sa';

/** Keys are octets counted up from the direction's number, of as many as the algorithm takes. */
export interface TunnelEnd {
  readonly side: 'left' | 'right';
  readonly outer: { readonly left: string; readonly right: string };
  /** Prefixes: the addresses of the device itself in tunnel mode. */
  readonly inner: { readonly left: readonly string[]; readonly right: readonly string[] };
  readonly tunName: string;
  readonly tunMtuBytes: number;
  readonly encapsulated: boolean;
  readonly esn: boolean;
  /** Absent: AH. */
  readonly encryption?:
    | { readonly id: number; readonly keyLengthBits: number; readonly keyBytes: number }
    | undefined;
  readonly integrity?: { readonly id: number; readonly keyBytes: number };
  /** So many packet threads, and SAs of its own for each prefix of the one side and that of the other in the same place. */
  readonly threads?: number;
  /** In packets, 1024 unless told. With 0, packets may be received again and again. */
  readonly replayWindow?: number;
}

/** What SAs are made for. */
export interface Pair {
  readonly childId: number;
  readonly left: readonly string[];
  readonly right: readonly string[];
}

const firstSpis = { left: 0x0000_1001, right: 0x0000_1002 };
/** Spreads the pairs over any number of threads but multiples of it. */
const spiStep = 5;
export const natTraversalPort = 4500;

export function pairsOf({ inner: { left, right }, threads }: TunnelEnd): readonly Pair[] {
  if (threads === undefined) return [{ childId: 1, left, right }];
  return left.map((prefix, i) => ({ childId: i + 1, left: [prefix], right: [right[i]!] }));
}

function spiOf(sender: 'left' | 'right', { childId }: Pair): Spi {
  return (firstSpis[sender] + spiStep * (childId - 1)) as Spi;
}

function keyOf(spi: Spi, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => spi + i);
}

function parameters(end: TunnelEnd, direction: SaDirection, pair: Pair): SaParameters {
  const peer = end.side === 'left' ? 'right' : 'left';
  const spi = spiOf(direction === 'outbound' ? end.side : peer, pair);
  const { encryption, integrity } = end;
  const selectors = (prefixes: readonly string[]) => prefixes.map((prefix) => selectorOfPrefix(prefix)!);
  return {
    direction,
    protocol: encryption === undefined ? 'ah' : 'esp',
    spi,
    mode: 'tunnel',
    local: address(end.outer[end.side]),
    remote: address(end.outer[peer]),
    ...(end.encapsulated
      ? { encapsulation: { localPort: natTraversalPort, remotePort: natTraversalPort } }
      : {}),
    ...(encryption === undefined
      ? {}
      : {
          encryption: {
            id: encryption.id,
            keyLengthBits: encryption.keyLengthBits,
            key: keyOf(spi, encryption.keyBytes),
          },
        }),
    ...(integrity === undefined
      ? {}
      : { integrity: { id: integrity.id, key: keyOf(spi, integrity.keyBytes) } }),
    esn: end.esn,
    replayWindow: end.replayWindow ?? 1024,
    selectors: { local: selectors(pair[end.side]), remote: selectors(pair[peer]) },
    lifetimes: {},
    childId: pair.childId,
    generation: 0,
    copyDscp: 'out',
    copyDf: true,
  };
}

/** What has a data plane carry the packets of an end. */
export function commandsOf(end: TunnelEnd): readonly SaCommand[] {
  return pairsOf(end).flatMap((pair): SaCommand[] => {
    const outbound = parameters(end, 'outbound', pair);
    const { childId, selectors } = outbound;
    return [
      { kind: 'install', sa: parameters(end, 'inbound', pair) },
      { kind: 'install', sa: outbound },
      {
        kind: 'install-policy',
        policy: { policyId: childId, action: 'protect', selectors, priority: 1, mode: 'tunnel', childId },
      },
    ];
  });
}
