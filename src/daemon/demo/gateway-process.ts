// Entry of a gateway process of the demonstration.
import type { DemoPorts } from './free-ports.ts';
import { type GatewayMessage, runGateway } from './gateway.ts';

const [, , side, ports] = process.argv;
if ((side !== 'left' && side !== 'right') || ports === undefined)
  throw new Error('this process is started by the demonstration only');

// A parent that was killed reads nothing more: with a callback, that is no error of ours.
const tell = (message: GatewayMessage): void => {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
};

try {
  await runGateway(side, JSON.parse(ports) as DemoPorts, tell);
} catch (error) {
  tell({ kind: 'failed', detail: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
// The parent may be gone, and the channel with it.
if (process.connected) process.disconnect();
