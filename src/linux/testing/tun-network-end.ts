// A TUN device with routes, addresses and rules, for tests within a namespace: what its standard input says, it does.
import { createInterface } from 'node:readline';
import { type Prefix, parseAddress, parsePrefix } from '#sa';
import { TunNetwork } from '../network-configuration.ts';
import { NetworkConfigurationError } from '../routing-table.ts';
import { TunDevice } from '../tun-device.ts';

const device = new TunDevice('tun0');
let network: TunNetwork | undefined;

function carryOut(what: string, first = '', second?: string): void {
  const prefix = parsePrefix(first) as Prefix;
  const address = parseAddress(first)!;
  if (what === 'up') network = new TunNetwork(first, 220, 7_823_737, 1400);
  if (what === 'route')
    network?.addRoute(prefix, () => (second === undefined ? undefined : parseAddress(second)));
  if (what === 'no-route') network?.removeRoute(prefix);
  if (what === 'address') network?.addAddress(address);
  if (what === 'no-address') network?.removeAddress(address);
  if (what === 'close') network?.close();
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const [what, ...words] = line.split(' ');
    carryOut(what!, ...words);
    console.log('done');
  } catch (error) {
    if (!(error instanceof NetworkConfigurationError)) throw error;
    console.log(`done ${error.message}`);
  }
}
device.close();
