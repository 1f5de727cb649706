// Entry of a gateway process of the demonstration.
import { type GatewayMessage, runGateway } from './gateway.ts';

const [, , side] = process.argv;
if (side !== 'left' && side !== 'right') throw new Error('this process is started by the demonstration only');

const tell = (message: GatewayMessage): void => {
  if (process.connected) process.send?.(message);
};

try {
  await runGateway(side, tell);
} catch (error) {
  tell({ kind: 'failed', detail: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
process.disconnect?.();
