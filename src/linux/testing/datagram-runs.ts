// UDP as fast as the kernel takes it, many datagrams in one call (UDP_SEGMENT): what a gateway has to seal, or what it has to open.
// Runs as a process: `datagram-runs.js plain|sealed SECONDS END`, the end of the tunnel that it plays or is behind being a
// `TunnelEnd` in JSON; prints what it sent as one line of JSON. What is sealed is a recording, sent again and again: only an end
// without a replay window opens all of it.
import { nodeRandomness } from '#crypto';
import { MemoryDataPlane } from '#ipsec';
import { address, addressBytes, type Endpoint } from '#sa';
import { encodeIp, IpProtocol, transportChecksum, writeU16 } from '#wire';
import { AF_INET, SO_SNDBUF, SOCK_DGRAM, SOL_SOCKET, SOL_UDP, UDP_SEGMENT } from '../libc/constants.ts';
import { must, packetCalls, pinned } from '../libc/libc.ts';
import { memoryAddress } from '../memory/memory-address.ts';
import { socketAddress } from '../sockets/socket-address.ts';
import { commandsOf, natTraversalPort, pairsOf, type TunnelEnd } from './tunnel-sas.ts';

/** What was sent. */
export interface DatagramRunsReport {
  readonly seconds: number;
  readonly datagrams: number;
  /** In one call. */
  readonly datagramsOfRun: number;
}

const flowsOfPair = 4;
/** Of a tunnel whose packets fit into 1400 octets. */
const dataBytes = 1340;
/** As many as fit into one call, sealed too. */
const datagramsOfRun = 40;
const firstPort = 6000;
const pathMtuBytes = 1500;

/** One call's worth, and where it goes. */
interface Run {
  readonly fd: number;
  readonly octets: Uint8Array;
}

interface Flow {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

function* flows(end: TunnelEnd): Iterable<Flow> {
  const peer = end.side === 'left' ? 'right' : 'left';
  const hostOf = ([prefix]: readonly string[]) => address(prefix!.split('/')[0]!);
  for (const { [end.side]: own, [peer]: theirs } of pairsOf(end)) {
    for (let port = firstPort; port < firstPort + flowsOfPair; port++)
      yield { local: { address: hostOf(own), port }, remote: { address: hostOf(theirs), port } };
  }
}

function socketOf({ local, remote }: Flow, datagramBytes: number): number {
  const fd = must('socket', undefined, AF_INET, SOCK_DGRAM, 0);
  for (const [level, name, value] of [
    [SOL_SOCKET, SO_SNDBUF, 4 << 20],
    [SOL_UDP, UDP_SEGMENT, datagramBytes],
  ] as const) {
    const octets = pinned(4);
    new DataView(octets.buffer).setInt32(0, value, true);
    must('setsockopt', undefined, fd, level, name, octets, 4);
  }
  for (const [call, endpoint] of [
    ['bind', local],
    ['connect', remote],
  ] as const) {
    const name = socketAddress(endpoint);
    must(call, undefined, fd, name, name.length);
  }
  return fd;
}

function plainRuns(end: TunnelEnd): Run[] {
  const octets = pinned(datagramsOfRun * dataBytes);
  return Array.from(flows(end), (flow) => ({ fd: socketOf(flow, dataBytes), octets }));
}

/** An IP packet with a datagram of the flow. The identification counts up, as where the kernel cuts. */
function packetOf({ local, remote }: Flow, identification: number): Uint8Array {
  const [source, destination] = [addressBytes(local.address), addressBytes(remote.address)];
  const payload = new Uint8Array(8 + dataBytes);
  for (const [at, value] of [local.port, remote.port, payload.length, 0].entries())
    writeU16(payload, 2 * at, value);
  writeU16(payload, 6, transportChecksum({ source, destination }, IpProtocol.UDP, payload) || 0xffff);
  return encodeIp({
    ...{ version: 4, dscp: 0, ecn: 0, source, destination, protocol: IpProtocol.UDP, payload },
    ...{ identification, dontFragment: true, moreFragments: false, fragmentOffset: 0 },
    ...{ timeToLive: 64, options: new Uint8Array(0) },
  });
}

function seal(plane: MemoryDataPlane, packet: Uint8Array): Uint8Array {
  plane.outbound(packet, 0);
  const output = plane.poll();
  if (output?.kind !== 'transmit') throw new Error(`nothing to send, but ${output?.kind}`);
  return output.octets.slice();
}

function sealedRuns(end: TunnelEnd): Run[] {
  const plane = new MemoryDataPlane({ randomness: nodeRandomness(), pathMtuBytes });
  for (const command of commandsOf(end)) plane.apply(command, 0);
  const peer = end.side === 'left' ? 'right' : 'left';
  const outer: Flow = {
    local: { address: address(end.outer[end.side]), port: natTraversalPort },
    remote: { address: address(end.outer[peer]), port: natTraversalPort },
  };
  let fd: number | undefined;
  return Array.from(flows(end), (flow) => {
    const sealed = Array.from({ length: datagramsOfRun }, (_, i) => seal(plane, packetOf(flow, i)));
    const octets = pinned(sealed.reduce((sum, { length }) => sum + length, 0));
    for (const [i, one] of sealed.entries()) octets.set(one, i * one.length);
    fd ??= socketOf(outer, sealed[0]!.length);
    return { fd, octets };
  });
}

function send(runs: readonly Run[], seconds: number): DatagramRunsReport {
  const calls = packetCalls();
  const prepared = runs.map(({ fd, octets }) => ({
    fd,
    at: memoryAddress(octets),
    bytes: octets.length,
  }));
  let datagrams = 0;
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1000;
  while (performance.now() < endAt) {
    // A call that the kernel refuses is a run that was lost.
    for (const { fd, at, bytes } of prepared)
      if (calls.write(fd, at, bytes) === bytes) datagrams += datagramsOfRun;
  }
  return { seconds: (performance.now() - startedAt) / 1000, datagrams, datagramsOfRun };
}

const [, , kind, seconds, text = ''] = process.argv;
const end = JSON.parse(text) as TunnelEnd;
const runs = kind === 'sealed' ? sealedRuns(end) : plainRuns(end);
process.stdout.write(`${JSON.stringify(send(runs, Number(seconds)))}\n`);
