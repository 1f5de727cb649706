// `hip.registrar` -> what this host offers to others.
import type { HipPeer, RegistrarConfiguration } from '#engine';
import type { Hit } from '#wire';
import type { Settings } from '../options/check.ts';
import type { BuildContext } from './context.ts';
import { registrationMsMin } from './hip-rendezvous.ts';

/** `undefined`: nothing. */
export function buildRegistrar(
  hip: Settings,
  peers: readonly HipPeer[],
  context: BuildContext,
): RegistrarConfiguration | undefined {
  const [settings] = hip.sections('registrar');
  if (settings === undefined) return undefined;
  const clients = clientsOf(settings, peers, context);
  const lifetimeMsMin = settings.required('min_lifetime', 'duration');
  const lifetimeMsMax = settings.required('max_lifetime', 'duration');
  checkLifetimes(settings, lifetimeMsMin, lifetimeMsMax, context);
  if (!settings.required('rendezvous', 'boolean')) return undefined;
  const count = (name: string): number => settings.required(name, 'count');
  return {
    lifetimeMsMin,
    lifetimeMsMax,
    registrationsMax: count('max_registrations'),
    ...(clients !== undefined && { clients }),
    relayPerSecond: { perPrefix: count('relay_rate_prefix'), total: count('relay_rate') },
  };
}

function clientsOf(
  settings: Settings,
  peers: readonly HipPeer[],
  { findings }: BuildContext,
): readonly Hit[] | undefined {
  return settings.value('clients', 'texts')?.flatMap((name) => {
    const peer = peers.find((one) => one.name === name);
    if (peer?.hit !== undefined) return [peer.hit];
    const what = peer === undefined ? `there is no peer "${name}"` : `peer "${name}" has no hit`;
    findings.error('missing', settings.position('clients'), `clients: ${what}`);
    return [];
  });
}

function checkLifetimes(
  settings: Settings,
  lifetimeMsMin: number,
  lifetimeMsMax: number,
  { findings }: BuildContext,
): void {
  if (lifetimeMsMin < registrationMsMin) {
    findings.error('conflict', settings.position('min_lifetime'), 'min_lifetime must be at least 10s');
  }
  if (lifetimeMsMin <= lifetimeMsMax) return;
  const written = settings.section.settings.has('max_lifetime') ? 'max_lifetime' : 'min_lifetime';
  findings.error('conflict', settings.position(written), 'min_lifetime is more than max_lifetime');
}
