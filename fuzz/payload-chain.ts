// The payloads of a message as octets, to be left out, said twice, put in another order or spoilt.
import { NotifyType, PayloadType } from '#wire';

export interface RawPayload {
  readonly type: number;
  readonly critical: boolean;
  readonly body: Uint8Array;
  /** What its length field says, if that is not how long it is. */
  readonly claimedBytes?: number;
}

const headerBytes = 4;

/** What stands in a row from `firstPayload` on; what is no payload any more is left out. */
export function chainOf(firstPayload: number, octets: Uint8Array): RawPayload[] {
  const chain: RawPayload[] = [];
  for (let type = firstPayload, at = 0; type !== 0 && at + headerBytes <= octets.length; ) {
    const length = (octets[at + 2]! << 8) + octets[at + 3]!;
    if (length < headerBytes || at + length > octets.length) break;
    const critical = (octets[at + 1]! & 0x80) !== 0;
    chain.push({ type, critical, body: octets.slice(at + headerBytes, at + length) });
    type = octets[at]!;
    at += length;
  }
  return chain;
}

export function octetsOf(chain: readonly RawPayload[]): { firstPayload: number; octets: Uint8Array } {
  const octets: number[] = [];
  for (const [index, { critical, body, claimedBytes }] of chain.entries()) {
    const length = claimedBytes ?? body.length + headerBytes;
    octets.push(chain[index + 1]?.type ?? 0, critical ? 0x80 : 0, (length >>> 8) & 0xff, length & 0xff);
    octets.push(...body);
  }
  return { firstPayload: chain[0]?.type ?? 0, octets: Uint8Array.from(octets) };
}

/** What a change may need: payloads that were said before, and SPIs of the SAs that stand. */
export interface Material {
  readonly said: readonly RawPayload[];
  readonly spis: readonly Uint8Array[];
}

const types: readonly number[] = Object.values(PayloadType);
const notifyTypes: readonly number[] = Object.values(NotifyType);

type Change = (chain: RawPayload[], a: number, b: number, c: number, material: Material) => RawPayload[];

/** `chain` with the payload that `a` means changed. */
function changed(chain: RawPayload[], a: number, change: (one: RawPayload) => RawPayload): RawPayload[] {
  const index = a % Math.max(1, chain.length);
  return chain.map((one, i) => (i === index ? change(one) : one));
}

function inserted(chain: RawPayload[], at: number, ...payloads: RawPayload[]): RawPayload[] {
  return chain.toSpliced(at % (chain.length + 1), 0, ...payloads);
}

function pick<T>(from: readonly T[], index: number): T | undefined {
  return from[index % Math.max(1, from.length)];
}

function payload(type: number, ...body: readonly number[]): RawPayload {
  return { type, critical: false, body: Uint8Array.from(body) };
}

/** A few SPIs in a row of those that are known. */
function spisFrom(spis: readonly Uint8Array[], first: number, count: number): Uint8Array[] {
  return Array.from({ length: Math.min(count, spis.length) }, (_, i) => spis[(first + i) % spis.length]!);
}

function withOctets(body: Uint8Array, at: number, octets: Uint8Array): Uint8Array {
  const changed = body.slice();
  if (at + octets.length <= changed.length) changed.set(octets, at);
  return changed;
}

const changes: readonly Change[] = [
  // Missing.
  (chain, a) => chain.toSpliced(a % Math.max(1, chain.length), 1),
  // Twice.
  (chain, a, b) => {
    const one = pick(chain, a);
    return one === undefined ? chain : inserted(chain, b, one);
  },
  // Elsewhere.
  (chain, a, b) => {
    const one = pick(chain, a);
    return one === undefined
      ? chain
      : inserted(
          chain.filter((other) => other !== one),
          b,
          one,
        );
  },
  // What was said before, in this exchange or another.
  (chain, a, b, _c, { said }) => {
    const one = pick(said, a);
    return one === undefined ? chain : inserted(chain, b, one);
  },
  // What was said before, instead of what is said now.
  (chain, a, b, _c, { said }) => {
    const type = pick(chain, b)?.type;
    const one = pick(
      said.filter((other) => other.type === type),
      a,
    );
    return one === undefined ? chain : changed(chain, b, () => one);
  },
  (chain, a) => changed(chain, a, (one) => ({ ...one, critical: !one.critical })),
  (chain, a, b) => changed(chain, a, (one) => ({ ...one, type: pick(types, b) ?? b })),
  (chain, a, b) => changed(chain, a, (one) => ({ ...one, type: b, critical: true })),
  // An octet.
  (chain, a, b, c) =>
    changed(chain, a, (one) => ({ ...one, body: one.body.map((o, i) => (i === b ? c : o)) })),
  // Cut short, or longer.
  (chain, a, b) => changed(chain, a, (one) => ({ ...one, body: one.body.slice(0, b) })),
  (chain, a, b, c) =>
    changed(chain, a, (one) => ({
      ...one,
      body: Uint8Array.from([...one.body, ...new Array<number>(b).fill(c)]),
    })),
  (chain, a, b) =>
    changed(chain, a, (one) => ({ ...one, claimedBytes: Math.max(0, one.body.length + 4 + b - 128) })),
  // A Notify of any type, about nothing.
  (chain, a, b, c) => {
    const type = pick(notifyTypes, a) ?? a;
    return inserted(
      chain,
      b,
      payload(PayloadType.N, 0, 0, type >>> 8, type & 0xff, ...new Array<number>(c % 40).fill(c)),
    );
  },
  // A Notify about an SA that stands, or stood.
  (chain, a, b, c, { spis }) => {
    const type = pick(notifyTypes, a) ?? a;
    const spi = pick(spis, c) ?? new Uint8Array(4);
    return inserted(chain, b, payload(PayloadType.N, 3, 4, type >>> 8, type & 0xff, ...spi));
  },
  // Deletes of some SAs, or of the IKE SA.
  (chain, a, b, c, { spis }) => {
    const named = spisFrom(spis, a, 1 + (b & 0x0f));
    const body = [3, 4, 0, named.length, ...named.flatMap((spi) => [...spi])];
    return inserted(chain, c, payload(PayloadType.D, ...body));
  },
  (chain, _a, b) => inserted(chain, b, payload(PayloadType.D, 1, 0, 0, 0)),
  // A proposal of an SA that there is already.
  (chain, a, b, _c, { spis }) =>
    chain.map((one) =>
      one.type === PayloadType.SA && one.body[6] === 4
        ? { ...one, body: withOctets(one.body, 8, pick(spis, a + 256 * b) ?? new Uint8Array(4)) }
        : one,
    ),
  // Thousands of the same.
  (chain, a, b) => {
    const one = pick(chain, a);
    return one === undefined || one.body.length > 64
      ? chain
      : [...chain, ...new Array<RawPayload>(4 * b).fill(one)];
  },
];

/** One change to a chain; `kind` says which. */
export function changeChain(
  chain: RawPayload[],
  [kind, a, b, c]: readonly [number, number, number, number],
  material: Material,
): RawPayload[] {
  return pick(changes, kind)!(chain, a, b, c, material);
}

export const changesCount: number = changes.length;
