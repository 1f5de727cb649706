// `hip.peers` and the hosts file -> the peers of a host.
import type { HipPeer, LocalIdentity } from '#engine';
import { hitAddress, type IpAddress } from '#sa';
import { type Hit, hipUdpPort } from '#wire';
import type { Settings } from '../options/check.ts';
import { textFromUtf8, utf8Fault } from '../values/utf8.ts';
import type { BuildContext } from './context.ts';
import { readOrReport } from './files.ts';
import { type PlacedPeer, readHipHosts } from './hip-hosts.ts';
import { registrationOf, withServers } from './hip-rendezvous.ts';

/** A section says more than a line of the hosts file, from which it takes the addresses if it has none itself. */
export function buildHipPeers(
  hip: Settings,
  identities: readonly LocalIdentity[],
  context: BuildContext,
): readonly HipPeer[] {
  const hosts = peersOfHosts(hip, context);
  const addressesOf = new Map(hosts.map(({ peer }) => [peer.hit, peer.addresses]));
  const sections = hip.sections('peers')[0]?.sections('<name>') ?? [];
  const written = sections.flatMap((settings) => buildPeer(settings, addressesOf, identities, context) ?? []);
  const sectioned = new Set(written.map(({ peer }) => peer.hit));
  const further = hosts.filter(({ peer }) => !sectioned.has(peer.hit));
  const placed = withServers([...written, ...further], sections, context);
  checkPeers(placed, identities, context);
  return placed.map(({ peer }) => peer);
}

function peersOfHosts(hip: Settings, context: BuildContext): readonly PlacedPeer[] {
  const path = hip.value('hosts', 'text');
  if (path === undefined) return [];
  const position = hip.position('hosts');
  const files = context.ports.readFiles(path, context.file);
  if (files.length === 0) context.findings.error('file', position, `hosts: there is no file ${path}`);
  return files.flatMap((file) => {
    const octets = readOrReport(file, position, context, (read) => read);
    if (octets === undefined) return [];
    const text = textFromUtf8(octets);
    if (text !== undefined) return readHipHosts(text, file.path, context.findings);
    context.findings.error('file', position, `${file.path}: ${utf8Fault(octets)}`);
    return [];
  });
}

function buildPeer(
  settings: Settings,
  inHosts: ReadonlyMap<Hit | undefined, readonly IpAddress[]>,
  identities: readonly LocalIdentity[],
  context: BuildContext,
): PlacedPeer | undefined {
  const { findings } = context;
  const { name, position } = settings.section;
  const hit = settings.value('hit', 'hit');
  const own = settings.value('addrs', 'ip-addresses');
  const lsi = settings.value('lsi', 'ipv4-address');
  const localHit = settings.value('local_hit', 'hit');
  if (hit === undefined && own === undefined) {
    const faulty = ['hit', 'addrs'].some((one) => settings.section.settings.get(one)?.value !== undefined);
    if (!faulty) findings.error('missing', position, `peer "${name}" needs the option "hit", or "addrs"`);
    return undefined;
  }
  if (localHit !== undefined && identities.every(({ identity }) => identity.hit !== localHit)) {
    const where = settings.position('local_hit');
    findings.error('missing', where, `local_hit: there is no identity with the HIT ${hitAddress(localHit)}`);
  }
  const peer: HipPeer = {
    name,
    ...(hit !== undefined && { hit }),
    addresses: own ?? (hit === undefined ? undefined : inHosts.get(hit)) ?? [],
    ...(lsi !== undefined && { lsi }),
    ...(settings.required('udp', 'boolean') && { udpPort: hipUdpPort }),
    ...(localHit !== undefined && { localHit }),
    ...quirksOf(settings, hit, context),
    ...registrationOf(settings, context),
  };
  return { peer, position };
}

/** They are a matter of one host, which has to be known by its HIT. */
function quirksOf(
  settings: Settings,
  hit: HipPeer['hit'],
  { findings }: BuildContext,
): Pick<HipPeer, 'quirks'> {
  const quirks = settings.value('quirks', 'choices') as HipPeer['quirks'];
  if (quirks === undefined || quirks.length === 0) return {};
  if (hit === undefined) {
    const { name } = settings.section;
    findings.error('missing', settings.position('quirks'), `quirks: peer "${name}" needs the option "hit"`);
  }
  return { quirks };
}

/** Each name, HIT and LSI is one peer's, and none of ours. */
function checkPeers(
  peers: readonly PlacedPeer[],
  identities: readonly LocalIdentity[],
  { findings }: BuildContext,
): void {
  const names = new Set<string>();
  const byHit = new Map<Hit, string>();
  const byLsi = new Map<IpAddress, string>();
  for (const { peer, position } of peers) {
    const { name, hit, lsi } = peer;
    const conflict = (detail: string): void => findings.error('conflict', position, detail);
    if (names.has(name)) conflict(`another peer is called "${name}" too`);
    names.add(name);
    if (hit !== undefined) {
      const same = byHit.get(hit);
      if (same !== undefined) conflict(`peer "${name}" has the HIT of peer "${same}"`);
      else byHit.set(hit, name);
    }
    if (lsi !== undefined) {
      const same = byLsi.get(lsi);
      if (same !== undefined) conflict(`peer "${name}" has the LSI of peer "${same}"`);
      else byLsi.set(lsi, name);
    }
    if (identities.some(({ identity }) => identity.hit === hit))
      conflict(`peer "${name}" has a HIT of this host`);
  }
}
