// Rendezvous in `hip.peers`: whom we register with, and through whose server a peer is called.
import type { HipPeer } from '#engine';
import type { Settings } from '../options/check.ts';
import type { BuildContext } from './context.ts';
import type { PlacedPeer } from './hip-hosts.ts';

/** RFC 8003 5: what every host has to support. */
export const registrationMsMin = 10_000;

export function registrationOf(
  settings: Settings,
  { findings }: BuildContext,
): Pick<HipPeer, 'registration'> {
  const lifetimeMs = settings.required('register_lifetime', 'duration');
  if (lifetimeMs < registrationMsMin) {
    const where = settings.position('register_lifetime');
    findings.error('conflict', where, 'register_lifetime must be at least 10s');
  }
  return settings.required('register', 'choice') === 'rendezvous' ? { registration: { lifetimeMs } } : {};
}

/** The peers with the addresses of their servers, once all names are known. */
export function withServers(
  placed: readonly PlacedPeer[],
  sections: readonly Settings[],
  { findings }: BuildContext,
): readonly PlacedPeer[] {
  const sectionAt = new Map(sections.map((settings) => [settings.section.position, settings]));
  return placed.map((one) => {
    const { peer, position } = one;
    const settings = sectionAt.get(position);
    if (settings === undefined) return one;
    if (peer.registration !== undefined && (peer.hit === undefined || peer.addresses.length === 0)) {
      const what = peer.hit === undefined ? 'hit' : 'addrs';
      const where = settings.position('register');
      findings.error('missing', where, `register: peer "${peer.name}" needs the option "${what}"`);
    }
    const name = settings.value('rvs', 'text');
    if (name === undefined) return one;
    const server = placed.find((other) => other.peer.name === name)?.peer;
    const fault = faultOf(peer, name, server);
    if (server === undefined || fault !== undefined) {
      findings.error('missing', settings.position('rvs'), `rvs: ${fault}`);
      return one;
    }
    const { addresses } = server;
    const rendezvous = { name, addresses };
    return {
      position,
      peer: { ...peer, rendezvous, addresses: peer.addresses.length === 0 ? addresses : peer.addresses },
    };
  });
}

function faultOf(peer: HipPeer, name: string, server: HipPeer | undefined): string | undefined {
  // RFC 8004 4.3.1: through a server nobody is called without saying whom.
  if (peer.hit === undefined) return `peer "${peer.name}" needs the option "hit"`;
  if (server === undefined) return `there is no peer "${name}"`;
  if (server === peer) return `peer "${name}" is no server of its own`;
  if (server.addresses.length === 0) return `peer "${name}" has no addrs`;
  return undefined;
}
