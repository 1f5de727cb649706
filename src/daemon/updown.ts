// The updown script of a Child SA, with the environment that strongSwan gives to such scripts.
import { spawn } from 'node:child_process';
import type { IkeContext } from '#engine';
import type { ChildSaSummary } from '#ike';
import { formatRange, isIpv6, type SaProtocol, type TrafficSelector } from '#sa';

/** What one run of a script is about. */
export interface UpdownOccasion {
  readonly direction: 'up' | 'down';
  readonly context: IkeContext;
  readonly child: ChildSaSummary;
  readonly protocol: SaProtocol;
  readonly encapsulated: boolean;
  /** Device that carries the tunnel's traffic, or that leads to the peer. */
  readonly interfaceName: string;
}

const protocolNames: Readonly<Record<number, string>> = {
  0: '0',
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  58: 'ipv6-icmp',
};

/** The variables of one pair of selectors; scripts run once for each pair. */
export function updownEnvironment(
  occasion: UpdownOccasion,
  mine: TrafficSelector,
  peers: TrafficSelector,
): Record<string, string> {
  const { context, child } = occasion;
  const ipv6 = isIpv6(mine.start);
  const isHost = mine.start === mine.end && mine.start === context.local.address;
  const suffix = ipv6 ? '-v6' : '';
  const environment: Record<string, string> = {
    PLUTO_VERSION: '1.1',
    PLUTO_VERB: `${occasion.direction}-${isHost ? 'host' : 'client'}${suffix}`,
    PLUTO_CONNECTION: child.name,
    PLUTO_INTERFACE: occasion.interfaceName,
    PLUTO_REQID: String(child.childId),
    PLUTO_PROTO: occasion.protocol,
    PLUTO_UNIQUEID: String(context.ikeId),
    PLUTO_ME: context.local.address,
    PLUTO_MY_ID: context.localIdentity ?? '',
    PLUTO_MY_CLIENT: formatRange(mine.start, mine.end),
    PLUTO_MY_PORT: portOf(mine),
    PLUTO_MY_PROTOCOL: protocolNames[mine.protocol] ?? String(mine.protocol),
    PLUTO_PEER: context.remote.address,
    PLUTO_PEER_ID: context.remoteIdentity ?? '',
    PLUTO_PEER_CLIENT: formatRange(peers.start, peers.end),
    PLUTO_PEER_PORT: portOf(peers),
    PLUTO_PEER_PROTOCOL: protocolNames[peers.protocol] ?? String(peers.protocol),
  };
  if (occasion.encapsulated) environment['PLUTO_UDP_ENC'] = String(context.remote.port);
  const counts = { 4: 0, 6: 0 };
  for (const address of context.virtualAddresses) {
    const family = isIpv6(address) ? 6 : 4;
    counts[family]++;
    environment['PLUTO_MY_SOURCEIP'] ??= address;
    environment[`PLUTO_MY_SOURCEIP${family}_${counts[family]}`] = address;
  }
  return environment;
}

function portOf({ startPort, endPort }: TrafficSelector): string {
  return startPort === endPort ? String(startPort) : '0';
}

/** Runs a script once per pair of selectors, one after the other. Returns what went wrong, if anything did. */
export async function runUpdown(script: string, occasion: UpdownOccasion): Promise<string | undefined> {
  for (const mine of occasion.child.local) {
    for (const peers of occasion.child.remote) {
      if (isIpv6(mine.start) !== isIpv6(peers.start)) continue;
      const problem = await run(script, updownEnvironment(occasion, mine, peers));
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function run(script: string, environment: Record<string, string>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', script], {
      env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', ...environment },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => {
      resolve(code === 0 ? undefined : `updown script ended with ${signal ?? `status ${code}`}`);
    });
  });
}
