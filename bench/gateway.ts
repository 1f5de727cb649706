// One end of a tunnel with several pairs of SAs and fixed keys, and in the other namespace nobody, or who sends it a recording.

import { TestNetwork } from '../interop/harness/network.ts';
import { datagramRuns, tunnelEnd } from '../interop/harness/paths.ts';
import { RunningProcess, runProgram } from '../interop/harness/processes.ts';

/** Numbers of the algorithms, and how long their keys are. */
export interface SuiteKeys {
  readonly encryption: { readonly id: number; readonly keyLengthBits: number; readonly keyBytes: number };
  readonly integrity?: { readonly id: number; readonly keyBytes: number };
}

/** What was sent to a gateway. */
export interface Load {
  readonly seconds: number;
  readonly datagrams: number;
  /** In one call: a device that takes large UDP packets has them as one. */
  readonly datagramsOfRun: number;
}

/** As many for each thread, whether there are one, two, three or four. */
const pairs = Array.from({ length: 12 }, (_, i) => i + 1);
const tunName = 'tun0';
const readyMsMax = 20_000;

export type Verdicts = Readonly<Record<string, number>>;

export class Gateway {
  readonly #network: TestNetwork;
  readonly #end: object;
  readonly #process: RunningProcess;

  private constructor(network: TestNetwork, end: object) {
    this.#network = network;
    this.#end = end;
    this.#process = new RunningProcess([process.execPath, tunnelEnd, JSON.stringify(end)], {
      namespace: network.wayward.namespace,
      listens: true,
    });
  }

  /** Needs root. */
  static async start(threads: number, keys: SuiteKeys): Promise<Gateway> {
    const network = new TestNetwork({ joined: true });
    await network.create();
    const { wayward, strongswan } = network;
    const gateway = new Gateway(network, {
      side: 'left',
      outer: { left: wayward.outer.IPv4, right: strongswan.outer.IPv4 },
      // Not those that the namespaces have already.
      inner: {
        left: pairs.map((i) => `10.11.0.${i}/32`),
        right: pairs.map((i) => `10.12.0.${i}/32`),
      },
      ...{ tunName, tunMtuBytes: 1400, encapsulated: true, esn: true, threads },
      // A recording comes again and again.
      replayWindow: 0,
      ...keys,
    });
    try {
      await gateway.#process.waitForOutput(/^ready$/m, { timeoutMs: readyMsMax });
      // What leaves the tunnel at either side ends there at once.
      await dropUdp(wayward.namespace, tunName);
      await dropUdp(strongswan.namespace, 'eth0');
    } catch (error) {
      await gateway.stop();
      throw error;
    }
    return gateway;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** What it has counted. */
  async verdicts(): Promise<Verdicts> {
    const process = this.#process;
    const from = process.output.length;
    process.write('verdicts\n');
    const [line] = await process.waitForOutput(/^\{.*\}$/m, { timeoutMs: readyMsMax, from });
    return JSON.parse(line) as Verdicts;
  }

  /** As much as there can be: whoever sends it yields the processors to the gateway. */
  async load(way: 'seal' | 'open', seconds: number): Promise<Load> {
    const { wayward, strongswan } = this.#network;
    const [kind, side, namespace] =
      way === 'seal'
        ? (['plain', 'left', wayward.namespace] as const)
        : (['sealed', 'right', strongswan.namespace] as const);
    const words = [kind, String(seconds), JSON.stringify({ ...this.#end, side })];
    const command = ['nice', '-n', '10', process.execPath, datagramRuns, ...words];
    const output = await runProgram(command, { namespace, timeoutMs: 1000 * seconds + readyMsMax });
    return JSON.parse(output) as Load;
  }

  async stop(): Promise<void> {
    await this.#process.end('SIGKILL');
    await this.#network.remove();
  }
}

/** Before the kernel looks for somebody who wants it. */
async function dropUdp(namespace: string, device: string): Promise<void> {
  const drop = `iifname "${device}" meta l4proto udp drop;`;
  const chain = `type filter hook prerouting priority raw; ${drop}`;
  const input = `table ip bench { chain arrivals { ${chain} }; }`;
  await runProgram(['nft', '-f', '-'], { namespace, input });
}
