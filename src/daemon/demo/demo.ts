// The demonstration: two gateways as two processes on loopback, a tunnel between them, traffic through it.
import { type ChildProcess, fork } from 'node:child_process';
import { demoSides, type Side } from './configuration.ts';
import { type DemoPorts, freePorts } from './free-ports.ts';
import type { EspCounters, GatewayMessage } from './gateway.ts';

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

/** Runs until interrupted or until a gateway cannot go on. Returns the exit status. */
export async function runDemo(print: (line: string) => void): Promise<number> {
  print('wayward: two gateways on loopback, IKEv2 and ESP in UDP between them, no privileges needed.');
  let ports: DemoPorts;
  try {
    ports = await freePorts(sides.map((side) => demoSides[side].address));
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
  print('Ctrl-C ends it.');
  const children = new Map<Side, ChildProcess>();
  let failed = false;
  let stopping = false;
  const stop = (): void => {
    stopping = true;
    for (const child of children.values()) child.kill('SIGTERM');
  };
  const ended = sides.map(
    (side) =>
      new Promise<void>((resolve) => {
        // In a process group of its own, so that Ctrl-C reaches it through us and it can say goodbye to its peer.
        const child = fork(new URL('./gateway-process.js', import.meta.url), [side, JSON.stringify(ports)], {
          detached: true,
        });
        children.set(side, child);
        child.on('message', (message: GatewayMessage) => {
          switch (message.kind) {
            case 'line':
              print(`${side.padEnd(5)} | ${message.text}`);
              break;
            case 'failed':
              failed = true;
              print(`${side.padEnd(5)} | ${message.detail}`);
              break;
            case 'counters': {
              const { echo, esp } = message;
              const pings = `${echo.requestsSent} pings sent, ${echo.repliesReceived} answered`;
              print(
                `${side.padEnd(5)} | ${pings}; ESP out ${sum(esp, 'outbound')}, in ${sum(esp, 'inbound')}`,
              );
              break;
            }
          }
        });
        child.on('exit', (code) => {
          if (code !== 0) failed = true;
          if (!stopping) stop();
          resolve();
        });
      }),
  );
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  await Promise.all(ended);
  return failed ? 1 : 0;
}
