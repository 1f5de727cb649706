// One host without a driver, for tests that need its keys: an association that no exchange has made.
import { rhashOf, seededRandomness } from '#crypto';
import { address, type Spi } from '#sa';
import type { Hit } from '#wire';
import type { HipAssociation, Standing } from '../association.ts';
import { AssociationRate } from '../association-rate.ts';
import { type HipConfiguration, hipDefaults, type LocalIdentity } from '../configuration.ts';
import { HipHostState } from '../host-state.ts';
import type { HipPath } from '../interface.ts';
import { deriveAssociationKeys } from '../keying.ts';
import { PeerLocators } from '../locators/peer-locators.ts';
import { Registrar } from '../registration/registrar.ts';
import { Responder } from '../responder/responder.ts';
import { Updates } from '../update/updates.ts';

export function bareHost(change: Partial<HipConfiguration> = {}): HipHostState {
  const randomness = seededRandomness(Uint8Array.of(1));
  const configuration = { ...hipDefaults, identities: [], peers: [], ...change };
  const ports = {
    randomness,
    allocateSpi: () => 1 as Spi,
    releaseSpi: () => undefined,
    allocateChildId: () => 1,
  };
  return new HipHostState(ports, configuration, {
    responder: new Responder(randomness, configuration, 0n, 0),
    registrar: new Registrar(randomness, configuration, 0),
  });
}

export const barePath: HipPath = {
  local: { address: address('192.0.2.1'), port: 0 },
  remote: { address: address('192.0.2.2'), port: 0 },
};

/** Both ends have keys of the same secret. */
export function bareAssociation(
  state: HipHostState,
  local: LocalIdentity,
  remote: LocalIdentity,
  role: 'initiator' | 'responder',
): { readonly association: HipAssociation; readonly standing: Standing } {
  const hit: Hit = local.identity.hit;
  const [initiator, responder] =
    role === 'initiator' ? [hit, remote.identity.hit] : [remote.identity.hit, hit];
  const { hashBytes } = rhashOf(responder);
  const keys = deriveAssociationKeys({
    role,
    initiator,
    responder,
    sharedSecret: new Uint8Array(32).fill(1),
    random: new Uint8Array(hashBytes),
    solution: new Uint8Array(hashBytes),
    cipher: 2,
    group: 7,
    peerPublicValue: new Uint8Array(64),
  });
  const association = state.findOrAdd(local, remote.identity.hit, barePath);
  const standing = {
    state: 'ESTABLISHED',
    keys,
    peer: remote.identity,
    updates: new Updates(),
    pair: { inboundSpi: 0x1000, outboundSpi: 0x2000 },
    childId: 1,
    espSuite: 13,
    locators: new PeerLocators(barePath.remote.address),
    provenPath: barePath,
    askRate: new AssociationRate(),
    repetitionRate: new AssociationRate(),
    limited: false,
    suspect: false,
    told: '',
    lastInboundAt: 0,
    lastOutboundAt: 0,
  } as unknown as Standing;
  association.standing = standing;
  return { association, standing };
}
