// Pairs of ESP SAs in BEET mode enter and leave the data plane: the HITs are the addresses inside (RFC 7402 3.2, 3.2.1, 3.3.1,
// 3.3.3, 3.3.4, 4.1.2, 5.2.1, appendix B).
import { type Drawn, encryptionKeyBytes, integrityKeyBytes, type PacketKeys } from '#crypto';
import {
  type ChildSuite,
  espSuiteOf,
  hitAddress,
  Integ,
  type SaDirection,
  type SaSelectors,
  type Spi,
  selectorOfPrefix,
  type TrafficSelector,
} from '#sa';
import type { Hit } from '#wire';
import type { AssociationKeys, EspPair, HipAssociation, Standing } from './association.ts';
import { hipQuirks } from './configuration.ts';
import type { HipHostState } from './host-state.ts';

/** Between traps and the policies of anything configured: a HIT leads to nobody else (RFC 7402 3.4.1). */
const policyPriority = 500;

export interface PairInput {
  readonly espSuite: number;
  readonly inboundSpi: Spi;
  readonly outboundSpi: Spi;
  readonly keymatIndex: number;
  readonly childId: number;
  readonly generation: number;
}

/** The algorithms of a suite as this peer has them. */
function suiteWith(state: HipHostState, remote: Hit, espSuite: number): ChildSuite {
  const suite = espSuiteOf(espSuite);
  if (suite === undefined) throw new Error(`no ESP suite ${espSuite}`);
  const short = suite.integ === Integ.HMAC_SHA2_256_128 && state.hasQuirk(remote, hipQuirks.shortIcv);
  return {
    ...suite,
    ...(short && { integ: Integ.HMAC_SHA2_256_96 }),
    esn: !state.hasQuirk(remote, hipQuirks.shortSequence),
  };
}

/** Draws the keys of a pair; the index of `keys` moves on. @throws CryptoError `bad-length` at the end of KEYMAT */
export function drawPair(
  state: HipHostState,
  { remote }: HipAssociation,
  keys: AssociationKeys,
  { espSuite, keymatIndex }: Pick<PairInput, 'espSuite' | 'keymatIndex'>,
): Drawn<PacketKeys> {
  const suite = suiteWith(state, remote, espSuite);
  const drawn = keys.keymat.drawEspKeys(suite, keymatIndex);
  keys.nextIndex = Math.max(keys.nextIndex, drawn.nextIndex);
  return drawn;
}

/** Whether keys can be taken from there: no key is drawn twice, and KEYMAT has an end. */
export function mayDraw(keys: AssociationKeys, espSuite: number, keymatIndex: number): boolean {
  if (keymatIndex < keys.nextIndex) return false;
  const { encr, integ } = espSuiteOf(espSuite) ?? {};
  const bytes =
    (encr === undefined ? 0 : encryptionKeyBytes(encr)) +
    (integ === undefined ? 0 : integrityKeyBytes(integ));
  return keymatIndex + 2 * bytes <= keys.keymat.lengthMax;
}

export function pairOf(state: HipHostState, { remote }: HipAssociation, input: PairInput): EspPair {
  const { inboundSpi, outboundSpi, generation, espSuite } = input;
  const suite = suiteWith(state, remote, espSuite);
  return { suite, inboundSpi, outboundSpi, generation, installedAt: state.at };
}

/** Installs one direction of a pair. The key octets are the data plane's from then on. */
export function installSa(
  state: HipHostState,
  association: HipAssociation,
  keys: AssociationKeys,
  {
    input,
    drawn,
    direction,
  }: { readonly input: PairInput; readonly drawn: Drawn<PacketKeys>; readonly direction: SaDirection },
): void {
  const sender =
    (direction === 'outbound') === (keys.role === 'initiator') ? drawn.initiator : drawn.responder;
  const { path } = association;
  state.command({
    kind: 'install',
    sa: {
      direction,
      protocol: 'esp',
      spi: direction === 'inbound' ? input.inboundSpi : input.outboundSpi,
      mode: 'beet',
      local: path.local.address,
      remote: path.remote.address,
      ...(path.remote.port !== 0 && {
        encapsulation: { localPort: path.local.port, remotePort: path.remote.port },
      }),
      ...sender,
      esn: suiteWith(state, association.remote, input.espSuite).esn,
      replayWindow: direction === 'inbound' ? state.configuration.replayWindow : 0,
      selectors: selectorsOf(association),
      lifetimes: {},
      childId: input.childId,
      generation: input.generation,
      copyDscp: 'out',
      copyDf: true,
      countsCredit: true,
    },
  });
}

/** Both directions of a first pair, and the policy that leads to it. */
export function installFirstPair(
  state: HipHostState,
  association: HipAssociation,
  keys: AssociationKeys,
  input: PairInput,
): EspPair {
  const drawn = drawPair(state, association, keys, input);
  for (const direction of ['inbound', 'outbound'] as const)
    installSa(state, association, keys, { input, drawn, direction });
  const { childId } = input;
  state.command({
    kind: 'install-policy',
    policy: {
      policyId: childId,
      action: 'protect',
      selectors: selectorsOf(association),
      priority: policyPriority,
      mode: 'beet',
      childId,
    },
  });
  state.command({ kind: 'use-outbound', protocol: 'esp', spi: input.outboundSpi, childId });
  return pairOf(state, association, input);
}

/** @param lingerMs how long what is on its way is still received */
export function removePair(
  state: HipHostState,
  { childId }: Pick<Standing, 'childId'>,
  pair: EspPair,
  lingerMs = 0,
): void {
  const common = { kind: 'remove', protocol: 'esp', childId } as const;
  state.command({ ...common, direction: 'inbound', spi: pair.inboundSpi, lingerMs });
  state.command({ ...common, direction: 'outbound', spi: pair.outboundSpi });
  state.ports.releaseSpi(pair.inboundSpi);
}

function selectorsOf({ local, remote }: HipAssociation): SaSelectors {
  const only = (hit: HipAssociation['remote']): TrafficSelector[] => [selectorOfPrefix(hitAddress(hit))!];
  return { local: only(local.identity.hit), remote: only(remote) };
}
