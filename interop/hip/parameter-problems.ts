// ICMP Parameter Problems about ESP that come to a host, as tcpdump sees them.
import { IpProtocol } from '#wire';
import { eventually } from '../harness/eventually.ts';
import type { HipHost } from './hip-host.ts';
import type { HipStage } from './hip-stage.ts';

export interface ParameterProblem {
  /** Octet of the packet that is quoted. */
  readonly pointer: number;
  /** What stands there. */
  readonly spi: number;
}

export interface ProblemCapture {
  /** @throws NotSeenError if there is none */
  stop(): Promise<readonly ParameterProblem[]>;
}

/** ICMP 12, and ICMPv6 4 but not about a next header: a kernel says that while nobody listens. */
const filter = 'icmp[0] == 12 or (ip6[6] == 58 and ip6[40] == 4 and ip6[41] == 0)';

export async function captureParameterProblems(stage: HipStage, host: HipHost): Promise<ProblemCapture> {
  const running = stage.run(host, 'tcpdump', '-n', '-x', '-l', '--immediate-mode', '-i', 'eth0', filter);
  await running.waitForOutput(/listening on/);
  return {
    stop: async () => {
      // tcpdump may be behind.
      await eventually('a Parameter Problem comes', () => packetsOf(running.standardOutput).some(quotesEsp));
      await running.end('SIGINT');
      return packetsOf(running.standardOutput).filter(quotesEsp).map(problemOf);
    },
  };
}

/** Octets of the IP packets in lines of hexadecimal. */
function packetsOf(text: string): Uint8Array[] {
  return text
    .split(/^(?=\S)/m)
    .map((one) => [...one.matchAll(/^\s+0x[\da-f]+: +(.*)$/gm)].map(([, words]) => words).join(''))
    .filter((one) => one !== '')
    .map((one) => Uint8Array.from(Buffer.from(one.replaceAll(/\s/g, ''), 'hex')));
}

/** There are others, about HIP packets of no association (RFC 7401 5.4.4). */
function quotesEsp(packet: Uint8Array): boolean {
  const ipv6 = packet[0]! >>> 4 === 6;
  const quoteAt = (ipv6 ? 40 : (packet[0]! & 0x0f) * 4) + 8;
  return packet[quoteAt + (ipv6 ? 6 : 9)] === IpProtocol.ESP;
}

function problemOf(packet: Uint8Array): ParameterProblem {
  const view = new DataView(packet.buffer);
  const ipv6 = packet[0]! >>> 4 === 6;
  const icmp = ipv6 ? 40 : (packet[0]! & 0x0f) * 4;
  const pointer = ipv6 ? view.getUint32(icmp + 4) : view.getUint8(icmp + 4);
  return { pointer, spi: view.getUint32(icmp + 8 + pointer) };
}
