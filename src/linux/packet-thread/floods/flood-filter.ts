// A filter for the sockets that ESP and AH come by: of unknown SPIs it lets a random sample through, and everything else as it is.
import { type Endpoint, isIpv6 } from '#sa';
import {
  accumulatorToIndex,
  encodeFilter,
  exclusiveOrIndex,
  type Instruction,
  instructionsMax,
  jump,
  jumpIfAnyBit,
  jumpIfEqual,
  loadWord,
  networkHeader,
  randomWord,
} from '../../filters/classic-bpf.ts';
import {
  drop,
  loadSpi,
  pass,
  refuseOthers,
  type SpiCarrier,
  type SpiShare,
} from '../../filters/spi-steering.ts';
import { foldedAddress } from '../../sockets/socket-address.ts';

const sourceAt = { 4: 12, 6: 8 } as const;

/** An inbound SA, and where its packets come from. */
export interface ExpectedSa {
  readonly spi: number;
  readonly remote: Pick<Endpoint, 'address'>;
}

export interface FloodFilterOptions extends SpiCarrier {
  /** Of a raw socket beside others. */
  readonly share?: SpiShare | undefined;
  readonly expected: readonly ExpectedSa[];
  /** Of so many packets with unknown SPIs one passes: a power of two. */
  readonly oneOf: number;
}

/**
 * What passes: SPIs of inbound SAs, whoever sends them, for a peer may have moved; all that comes from where a peer is, since the
 * kernel may have joined datagrams of one sender, of which the first alone is looked at; IKE, behind its marker (RFC 3948
 * 2.2); what is too short to be ESP or AH; and one of `oneOf` of the rest.
 * @returns undefined if there are more SAs than a program can have instructions for
 */
export function floodFilter(options: FloodFilterOptions): Uint8Array | undefined {
  const { expected, oneOf, transport, family, share } = options;
  const spis = expected.map(({ spi }) => spi >>> 0);
  // An address is known by its words combined: who takes the trouble to have one like a peer's is let through, as is who forges
  // the peer's own.
  const folds = expected.flatMap(({ remote: { address } }) =>
    isIpv6(address) === (family === 6) ? [foldedAddress(address)] : [],
  );
  const program: Instruction[] = [
    ...(share === undefined ? [] : refuseOthers(family, share)),
    ...loadSpi(options, pass),
    ...passIfAny(transport === 'udp' ? [0, ...spis] : spis),
    ...loadFoldedSource(family),
    ...passIfAny(folds),
    { code: loadWord, k: randomWord },
    { code: jumpIfAnyBit, ifTrue: 1, ifFalse: 0, k: oneOf - 1 },
    pass,
    drop,
  ];
  return program.length > instructionsMax ? undefined : encodeFilter(program);
}

/** From one jump over all the others to `pass`. */
const wordsPerPass = 250;

/** Whether the accumulator is one of the words. The kernel has little room: an instruction for each, and a few more. */
function passIfAny(words: readonly number[]): Instruction[] {
  const distinct = [...new Set(words)];
  const program: Instruction[] = [];
  for (let from = 0; from < distinct.length; from += wordsPerPass) {
    const some = distinct.slice(from, from + wordsPerPass);
    for (const [i, k] of some.entries())
      program.push({ code: jumpIfEqual, ifTrue: some.length - i, ifFalse: 0, k });
    program.push({ code: jump, k: 1 }, pass);
  }
  return program;
}

function loadFoldedSource(family: FloodFilterOptions['family']): Instruction[] {
  const words = family === 4 ? [0] : [0, 4, 8, 12];
  return words.flatMap((offset, i) => [
    ...(i === 0 ? [] : [{ code: accumulatorToIndex, k: 0 }]),
    { code: loadWord, k: networkHeader(sourceAt[family] + offset) },
    ...(i === 0 ? [] : [{ code: exclusiveOrIndex, k: 0 }]),
  ]);
}
