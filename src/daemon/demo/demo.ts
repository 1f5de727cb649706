// The demonstration: two gateways as two processes on loopback, a tunnel between them, traffic through it, and crashes.
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Board } from '#control';
import { demoSides, type Side } from './configuration.ts';
import { type CrashControl, serveCrashes, watchKeys } from './crash-control.ts';
import { type DemoPage, onto, openDemoPage } from './demo-page.ts';
import {
  type EspCounters,
  type GatewayMessage,
  type GatewaySetup,
  gatewaySocketPath,
  recordKeyPath,
} from './gateway.ts';
import { type DemoPorts, reservePorts } from './reserved-ports.ts';

const sides: readonly Side[] = ['left', 'right'];

function sum(esp: readonly EspCounters[], direction: EspCounters['direction']): string {
  let packets = 0;
  let bytes = 0;
  for (const one of esp) {
    if (one.direction !== direction) continue;
    packets += one.packets;
    bytes += one.bytes;
  }
  return `${packets} packets ${bytes} octets`;
}

/** A gateway that was killed, until its peer's pings are answered again. Times are of `performance.now()`. */
interface Incident {
  readonly side: Side;
  readonly killedAt: number;
  startedAt: number | undefined;
}

class Demonstration {
  readonly #print: (line: string) => void;
  readonly #setup: GatewaySetup;
  readonly #children = new Map<Side, ChildProcess>();
  readonly #ended: () => void;
  /** Absent: there is no page. */
  board: Board | undefined;
  #incident: Incident | undefined;
  #stopping = false;
  failed = false;
  /** Until both gateways have ended. */
  readonly end: Promise<void>;

  constructor(setup: GatewaySetup, print: (line: string) => void) {
    this.#setup = setup;
    this.#print = print;
    let ended = (): void => undefined;
    this.end = new Promise((resolve) => {
      ended = resolve;
    });
    this.#ended = ended;
    for (const side of sides) this.#start(side);
  }

  stop(): void {
    this.#stopping = true;
    for (const child of this.#children.values()) child.kill('SIGTERM');
  }

  /** Returns why not, if it does not. */
  crash(side: Side): string | undefined {
    if (this.#stopping) return 'the demonstration ends';
    if (this.#incident !== undefined)
      return `${this.#incident.side} was killed already, and traffic is not back yet`;
    const child = this.#children.get(side);
    if (child === undefined) return `${side} does not run`;
    this.#print(`demo  | ${side}, process ${child.pid}, is killed with SIGKILL: it forgets every SA`);
    this.#incident = { side, killedAt: performance.now(), startedAt: undefined };
    child.kill('SIGKILL');
    return undefined;
  }

  #start(side: Side): void {
    // In a process group of its own, so that Ctrl-C reaches it through us and it can say goodbye to its peer.
    const child = fork(
      new URL('./gateway-process.js', import.meta.url),
      [side, JSON.stringify(this.#setup)],
      { detached: true },
    );
    this.#children.set(side, child);
    child.on('message', (message: GatewayMessage) => this.#take(side, message));
    child.on('exit', (code) => this.#exited(side, code));
  }

  #exited(side: Side, code: number | null): void {
    this.#children.delete(side);
    this.board?.down(side);
    const incident = this.#incident;
    if (incident?.side === side && incident.startedAt === undefined && !this.#stopping) {
      this.#start(side);
      incident.startedAt = performance.now();
      this.#print(`demo  | ${side} starts again, process ${this.#children.get(side)?.pid}`);
      return;
    }
    if (code !== 0 && incident?.side !== side) this.failed = true;
    if (!this.#stopping) this.stop();
    if (this.#children.size === 0) this.#ended();
  }

  #take(side: Side, message: GatewayMessage): void {
    const line = (text: string): void => this.#print(`${side.padEnd(5)} | ${text}`);
    switch (message.kind) {
      case 'line':
        line(message.text);
        break;
      case 'snapshot':
      case 'incident':
      case 'unknown-spi':
        if (this.board !== undefined) onto(this.board, message);
        break;
      case 'failed':
        this.failed = true;
        line(message.detail);
        break;
      case 'traffic-back': {
        const incident = this.#incident;
        // Before it has started again, what is lost and answered was on its way.
        if (incident?.startedAt === undefined || incident.side === side) break;
        this.#incident = undefined;
        const outageMs = (performance.now() - incident.killedAt).toFixed(0);
        this.#print(
          `demo  | traffic is back, ${outageMs} ms after the kill; this is what ${side} has to say about it:`,
        );
        this.#print(`demo  |   wayward why last --socket ${gatewaySocketPath(this.#setup.folder, side)}`);
        break;
      }
      case 'counters': {
        // An incident is told without other lines in between.
        if (this.#incident !== undefined) break;
        const { echo, esp } = message;
        const pings = `${echo.requestsSent} pings sent, ${echo.repliesReceived} answered`;
        line(`${pings}; ESP out ${sum(esp, 'outbound')}, in ${sum(esp, 'inbound')}`);
        break;
      }
    }
  }
}

export interface DemoOptions {
  /** Where `wayward lab crash` reaches it. */
  readonly socketPath: string;
  /** Of the page; 0: any that is free. Absent: there is no page. */
  readonly httpPort?: number;
}

/** Runs until interrupted or until a gateway cannot go on. Returns the exit status. */
export async function runDemo(print: (line: string) => void, options: DemoOptions): Promise<number> {
  const { socketPath } = options;
  print('wayward: two gateways on loopback, IKEv2 and ESP in UDP between them, no privileges needed.');
  let ports: DemoPorts;
  try {
    ports = await reservePorts(sides.map((side) => demoSides[side].address));
  } catch (error) {
    print(`no UDP ports for it: ${(error as Error).message}`);
    return 1;
  }
  for (const side of sides) {
    const { address, network } = demoSides[side];
    print(
      `  ${side.padEnd(5)}  ${address} ports ${ports.ike} and ${ports.natTraversal}, ${network} behind it`,
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'wayward-demo-'));
  let control: CrashControl | undefined;
  let page: DemoPage | undefined;
  let leaveTerminal = (): void => undefined;
  try {
    writeFileSync(recordKeyPath(folder), randomBytes(32), { mode: 0o600 });
    const demo = new Demonstration({ ports, folder }, print);
    const stop = (): void => demo.stop();
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    const crash = (side: Side): string | undefined => demo.crash(side);
    leaveTerminal = watchKeys({
      crash: () => {
        const refusal = crash('right');
        if (refusal !== undefined) print(`demo  | ${refusal}`);
      },
      end: stop,
    });
    if (options.httpPort !== undefined) {
      try {
        page = await openDemoPage(folder, options.httpPort, crash);
        demo.board = page.board;
        print(`open ${page.url} to watch it`);
      } catch (error) {
        print(`there is no page: ${(error as Error).message}`);
      }
    }
    print(`wayward watch --socket ${gatewaySocketPath(folder, 'left')} watches one in a terminal`);
    const key = process.stdin.isTTY ? 'k kills the right gateway; ' : '';
    try {
      control = await serveCrashes(socketPath, crash);
      print(`${key}wayward lab crash in another shell kills one; Ctrl-C ends it.`);
    } catch (error) {
      print(`${key}Ctrl-C ends it. wayward lab crash does not reach it: ${(error as Error).message}`);
    }
    await demo.end;
    return demo.failed ? 1 : 0;
  } finally {
    leaveTerminal();
    await page?.close();
    await control?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
