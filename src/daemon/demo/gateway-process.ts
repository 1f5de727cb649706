// Entry of a gateway process of the demonstration.
import { type GatewayMessage, type GatewaySetup, runGateway } from './gateway.ts';

const [, , side, setup] = process.argv;
if ((side !== 'left' && side !== 'right') || setup === undefined)
  throw new Error('this process is started by the demonstration only');

// A parent that was killed reads nothing more: with a callback, that is no error of ours.
const tell = (message: GatewayMessage): void => {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
};

try {
  await runGateway(side, JSON.parse(setup) as GatewaySetup, tell);
} catch (error) {
  tell({ kind: 'failed', detail: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
// The parent may be gone, and the channel with it.
if (process.connected) process.disconnect();
