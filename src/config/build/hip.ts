// The `hip` section -> HipConfiguration.
import { type HipConfiguration, hipDefaults } from '#engine';
import { hipCiphers, hipEspSuites, hipGroups } from '../algorithms/hip.ts';
import type { Settings } from '../options/check.ts';
import type { BuildContext } from './context.ts';
import { buildHipIdentities } from './hip-identities.ts';
import { buildHipPeers } from './hip-peers.ts';
import { buildRegistrar } from './hip-registrar.ts';

const unusedMsMin = 10_000;
/** Peers need not remember more (RFC 8046 6.2.2). */
const addressesMax = 8;
const leasts = [
  ['addrs_lifetime', 10_000, '10s'],
  ['failover_time', 100, '100ms'],
] as const;

/** `undefined` without a section, and without an identity: this host has no HIP. */
export function buildHip(
  settings: Settings | undefined,
  context: BuildContext,
): HipConfiguration | undefined {
  if (settings === undefined) return undefined;
  const sections = settings.sections('identities')[0]?.sections('<name>') ?? [];
  const identities = buildHipIdentities(sections, context);
  const peers = buildHipPeers(settings, identities, context);
  const registrar = buildRegistrar(settings, peers, context);
  checkBounds(settings, context);
  if (sections.length === 0) {
    context.findings.warn(settings.section.position, 'hip has no effect: it has no identities');
    return undefined;
  }
  const count = (name: string): number => settings.required(name, 'count');
  return {
    ...hipDefaults,
    identities,
    peers,
    accept: settings.required('accept', 'choice') as HipConfiguration['accept'],
    groups: hipGroups(settings.required('dh_groups', 'choices')),
    ciphers: hipCiphers(settings.required('ciphers', 'choices')),
    espSuites: hipEspSuites(settings.required('esp_suites', 'choices')),
    puzzle: {
      ...hipDefaults.puzzle,
      difficultyMin: count('puzzle_difficulty_min'),
      difficultyMax: count('puzzle_difficulty_max'),
      calmPerSecond: count('puzzle_calm'),
      acceptedDifficultyMax: count('puzzle_difficulty_accepted'),
    },
    r1PerSecond: { perPrefix: count('r1_rate_prefix'), total: count('r1_rate') },
    retransmission: {
      baseMs: settings.required('retransmit_timeout', 'duration'),
      tries: count('retransmit_tries'),
    },
    unusedMs: settings.required('unused_time', 'duration'),
    rekeyMs: settings.required('rekey_time', 'duration'),
    replayWindow: count('replay_window'),
    addresses: settings.value('addrs', 'ip-addresses') ?? [],
    locatorLifetimeMs: settings.required('addrs_lifetime', 'duration'),
    failoverMs: settings.required('failover_time', 'duration'),
    ...(registrar !== undefined && { registrar }),
  };
}

function checkBounds(settings: Settings, { findings }: BuildContext): void {
  const [least, most] = ['puzzle_difficulty_min', 'puzzle_difficulty_max'] as const;
  if (settings.required(least, 'count') > settings.required(most, 'count')) {
    const written = settings.section.settings.has(most) ? most : least;
    findings.error('conflict', settings.position(written), `${least} is more than ${most}`);
  }
  if (settings.required('unused_time', 'duration') < unusedMsMin) {
    findings.error('conflict', settings.position('unused_time'), 'unused_time must be at least 10s');
  }
  if ((settings.value('addrs', 'ip-addresses') ?? []).length > addressesMax) {
    findings.error('conflict', settings.position('addrs'), `addrs: more than ${addressesMax} addresses`);
  }
  for (const [name, least, text] of leasts) {
    if (settings.required(name, 'duration') < least)
      findings.error('conflict', settings.position(name), `${name} must be at least ${text}`);
  }
  if (settings.required('retransmit_timeout', 'duration') < 1) {
    findings.error(
      'conflict',
      settings.position('retransmit_timeout'),
      'retransmit_timeout must be more than nothing',
    );
  }
}
