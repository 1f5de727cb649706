// The updown script of a Child SA, with the environment that strongSwan gives to such scripts.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { IkeContext } from '#engine';
import type { ChildSaSummary } from '#ike';
import { coveringPrefix, type IpAddress, isIpv6, type KernelTies, type TrafficSelector } from '#sa';

/** What one run of a script is about. */
export interface UpdownOccasion {
  readonly direction: 'up' | 'down';
  readonly context: IkeContext;
  readonly child: ChildSaSummary;
  /** Device that carries the tunnel's traffic: where a firewall sees it. */
  readonly interfaceName: string;
}

/** Nothing else happens to routes and addresses while a script runs, so it may not run for ever. */
const scriptMsMax = 30_000;
const outputLinesMax = 100;
/** How long to wait for output once a script has ended. */
const outputMsMax = 500;

const icmp = 1;
const icmpv6 = 58;

/** The variables of one pair of selectors; scripts run once for each pair. */
export function updownEnvironment(
  occasion: UpdownOccasion,
  mine: TrafficSelector,
  peers: TrafficSelector,
): Record<string, string> {
  const { context, child } = occasion;
  const isHost = mine.start === mine.end && mine.start === context.local.address;
  const [myPort, peerPort] = ports(mine, peers);
  return {
    PLUTO_VERSION: '1.1',
    PLUTO_VERB: `${occasion.direction}-${isHost ? 'host' : 'client'}${isIpv6(mine.start) ? '-v6' : ''}`,
    PLUTO_CONNECTION: child.name,
    PLUTO_INTERFACE: occasion.interfaceName,
    PLUTO_REQID: String(child.childId),
    PLUTO_PROTO: child.suite.protocol,
    PLUTO_UNIQUEID: String(context.ikeId),
    PLUTO_ME: context.local.address,
    PLUTO_MY_ID: context.localIdentity ?? '',
    PLUTO_MY_CLIENT: block(mine),
    PLUTO_MY_PORT: myPort,
    PLUTO_MY_PROTOCOL: String(mine.protocol),
    PLUTO_PEER: context.remote.address,
    PLUTO_PEER_ID: context.remoteIdentity ?? '',
    ...(context.remoteEapIdentity === undefined ? {} : { PLUTO_XAUTH_ID: context.remoteEapIdentity }),
    PLUTO_PEER_CLIENT: block(peers),
    PLUTO_PEER_PORT: peerPort,
    PLUTO_PEER_PROTOCOL: String(peers.protocol),
    ...sourceAddresses('PLUTO_MY', context.virtualAddresses),
    ...sourceAddresses('PLUTO_PEER', context.peerVirtualAddresses),
    ...(context.natDetected ? { PLUTO_UDP_ENC: String(context.remote.port) } : {}),
    ...numbered('PLUTO_DNS', context.nameServers),
    ...ties('IN', child.kernelTies?.inbound),
    ...ties('OUT', child.kernelTies?.outbound),
  };
}

function ties(suffix: 'IN' | 'OUT', { mark, interfaceId }: KernelTies = {}): Record<string, string> {
  return {
    ...(mark === undefined
      ? {}
      : { [`PLUTO_MARK_${suffix}`]: `${mark.value}/0x${mark.mask.toString(16).padStart(8, '0')}` }),
    ...(interfaceId === undefined ? {} : { [`PLUTO_IF_ID_${suffix}`]: String(interfaceId) }),
  };
}

/** A selector that is no block is told as the next larger one. */
function block({ start, end }: TrafficSelector): string {
  const { address, length } = coveringPrefix(start, end);
  return `${address}/${length}`;
}

/** Of ICMP, the type stands for our port and the code for the peer's (RFC 7296 3.13.1). */
function ports(mine: TrafficSelector, peers: TrafficSelector): readonly [string, string] {
  const protocol = Math.max(mine.protocol, peers.protocol);
  if (protocol === icmp || protocol === icmpv6) {
    const typeAndCode = Math.max(mine.startPort, peers.startPort);
    return [String(typeAndCode >> 8), String(typeAndCode & 0xff)];
  }
  return [portsOf(mine), portsOf(peers)];
}

function portsOf({ startPort, endPort }: TrafficSelector): string {
  const one = startPort === endPort || (startPort === 0 && endPort === 65535);
  return one ? String(startPort) : `${startPort}:${endPort}`;
}

function sourceAddresses(owner: string, addresses: readonly IpAddress[]): Record<string, string> {
  const [first] = addresses;
  if (first === undefined) return {};
  return { [`${owner}_SOURCEIP`]: first, ...numbered(`${owner}_SOURCEIP`, addresses) };
}

/** `NAME4_1`, `NAME4_2`, `NAME6_1`. */
function numbered(name: string, addresses: readonly IpAddress[]): Record<string, string> {
  const counts = { 4: 0, 6: 0 };
  return Object.fromEntries(
    addresses.map((address) => {
      const family = isIpv6(address) ? 6 : 4;
      return [`${name}${family}_${++counts[family]}`, address];
    }),
  );
}

/**
 * Runs a script once per pair of selectors, one after the other. Returns what went wrong, if anything did.
 * @param say takes the lines that the script prints
 */
export async function runUpdown(
  script: string,
  occasion: UpdownOccasion,
  say: (line: string) => void,
): Promise<string | undefined> {
  for (const mine of occasion.child.local) {
    for (const peers of occasion.child.remote) {
      if (isIpv6(mine.start) !== isIpv6(peers.start)) continue;
      const problem = await run(script, updownEnvironment(occasion, mine, peers), say);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function run(
  script: string,
  environment: Record<string, string>,
  say: (line: string) => void,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', `exec 2>&1\n${script}`], {
      env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', ...environment },
      stdio: ['ignore', 'pipe', 'ignore'],
      // In a process group of its own, to be ended as a whole; Ctrl-C at our terminal is not meant for it.
      detached: true,
    });
    let lines = 0;
    const output = createInterface({ input: child.stdout });
    output.on('line', (line) => {
      if (++lines <= outputLinesMax) say(line);
    });
    const timer = setTimeout(() => {
      end(child);
      finish(`updown script was ended: it ran for more than ${scriptMsMax / 1000} s`);
    }, scriptMsMax);
    const finish = (problem: string | undefined): void => {
      clearTimeout(timer);
      resolve(problem);
    };
    child.on('error', (error) => finish(`updown script: ${error.message}`));
    child.on('exit', () => {
      // What the script left running in the background may hold its output open.
      setTimeout(() => child.stdout.destroy(), outputMsMax).unref();
    });
    child.on('close', (code, signal) => {
      finish(code === 0 ? undefined : `updown script ended with ${signal ?? `status ${code}`}`);
    });
  });
}

function end({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself just now.
  }
}
