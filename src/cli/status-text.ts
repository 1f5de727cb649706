// `wayward status` for people: one block per IKE SA, one line per direction of each Child SA; HIP likewise.
import type { DaemonStatus } from '#daemon';
import type { IkeSaStatus } from '#engine';
import type { MobilityStatus } from '#ike';
import { formatEndpoint, formatSelector, formatSpi, formatSuite } from '#sa';
import { hipText } from './hip-status-text.ts';
import { saCounterText } from './sa-counter-text.ts';

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

function ikeText(sa: IkeSaStatus, status: DaemonStatus): string[] {
  const role = sa.initiator ? ['*', ''] : ['', '*'];
  const age = sa.establishedMsAgo === undefined ? '' : `, established ${duration(sa.establishedMsAgo)} ago`;
  const user = sa.remoteEapIdentity === undefined ? '' : `, user ${sa.remoteEapIdentity}`;
  const lines = [
    `${sa.connection}: #${sa.ikeId}, ${sa.phase}, ${sa.initiatorSpi}_i${role[0]} ${sa.responderSpi}_r${role[1]}`,
    `  local  ${sa.localIdentity ?? '?'} @ ${formatEndpoint(sa.local)}`,
    `  remote ${sa.remoteIdentity ?? '?'} @ ${formatEndpoint(sa.remote)}${user}`,
  ];
  if (sa.suite !== undefined)
    lines.push(`  ${formatSuite(sa.suite)}${age}${sa.behindNat ? ', behind a NAT' : ''}`);
  if (sa.mobility !== undefined) lines.push(`  ${mobilityText(sa, sa.mobility)}`);
  if (sa.lastMove !== undefined) lines.push(`  ${moveText(sa.lastMove)}`);
  if (sa.virtualAddresses.length > 0) lines.push(`  virtual addresses ${sa.virtualAddresses.join(' ')}`);
  for (const child of sa.children) {
    lines.push(
      `  ${child.name}: #${child.childId}.${child.generation}, ${child.mode}, ${formatSuite(child.suite)}`,
    );
    const { inbound, outbound } = child.offloaded ?? {};
    for (const [direction, spi, offloaded] of [
      ['in ', child.inboundSpi, inbound],
      ['out', child.outboundSpi, outbound],
    ] as const) {
      const device = offloaded === undefined ? '' : `, offloaded (${offloaded})`;
      lines.push(`    ${direction} ${formatSpi(spi)}, ${saCounterText(status, spi, direction)}${device}`);
    }
    lines.push(`    local  ${child.local.map(formatSelector).join(' ')}`);
    lines.push(`    remote ${child.remote.map(formatSelector).join(' ')}`);
  }
  return lines;
}

/** Who may move, and whether Child SAs lead elsewhere than IKE messages. */
function mobilityText({ remote }: IkeSaStatus, { client, peerAddresses, tunnel }: MobilityStatus): string {
  const who = client ? 'MOBIKE, as the end that moves' : 'MOBIKE, the peer moves';
  const others = peerAddresses.length === 0 ? '' : `; the peer can also be at ${peerAddresses.join(' ')}`;
  const [here, there] = [formatEndpoint(tunnel.remote), formatEndpoint(remote)];
  return `${who}${others}${here === there ? '' : `; Child SAs lead to ${here} until the peer answers from ${there}`}`;
}

function moveText({ by, from, msAgo }: NonNullable<IkeSaStatus['lastMove']>): string {
  const before = `${formatEndpoint(from.local)} to ${formatEndpoint(from.remote)}`;
  return `${by === 'us' ? 'we' : 'the peer'} moved ${duration(msAgo)} ago, before it was ${before}`;
}

function ownersText({ owners }: DaemonStatus): string[] {
  if (owners === undefined) return [];
  const lines = owners.unreadable.map(({ name, pid }) => `${name}, process ${pid}: its SPIs cannot be read`);
  if (owners.registry === undefined) return ['the owner registry cannot be used', ...lines];
  for (const { name, crashed } of owners.registry.others) {
    lines.push(`keying daemon ${name}: its SPIs are ${crashed ? 'kept for it, it died' : 'left to it'}`);
  }
  return lines;
}

/** What of the packets was nobody's, for whoever wonders about load. */
function packetsText({ verdicts }: DaemonStatus): string[] {
  const lines: string[] = [];
  const tell = (name: string, text: string): void => {
    const count = verdicts[name] ?? 0;
    if (count > 0) lines.push(`${count} ${text}`);
  };
  tell('unknown-spi', 'packets with an SPI that nobody here has');
  tell('unknown-spi-filtered', 'more were kept away by the kernel, about');
  tell('ike-refused', 'IKE datagrams were dropped because too many waited');
  tell('hand-over-overflow', 'packets found no room on their way to another packet thread');
  tell('socket-overflow', 'packets found no room in a socket');
  return lines;
}

export function statusText(status: DaemonStatus): string[] {
  const { engine } = status;
  const lines = [
    `wayward ${status.version}, process ${status.pid}, up ${duration(status.uptimeMs)}` +
      (status.tunName === undefined ? '' : `, device ${status.tunName}`),
    `${engine.ikeSas.length} IKE SAs, ${engine.halfOpen} half-open`,
    ...ownersText(status),
    ...packetsText(status),
    ...engine.ikeSas.flatMap((sa) => ikeText(sa, status)),
    ...engine.hip.flatMap((association) => hipText(association, status)),
  ];
  for (const { connection, phase, failures } of engine.connecting) {
    lines.push(`${connection}: ${phase}${failures > 0 ? `, ${failures} tries failed` : ''}`);
  }
  for (const { connection, child } of engine.traps) lines.push(`${connection}: ${child} waits for traffic`);
  for (const { name, size, online } of engine.pools)
    lines.push(`pool ${name}: ${online} of ${size} addresses in use`);
  return lines;
}
