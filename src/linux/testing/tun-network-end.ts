// A TUN device with routes, addresses and rules, for tests within a namespace: what its standard input says, it does.
import { createInterface } from 'node:readline';
import { type Prefix, parseAddress, parsePrefix } from '#sa';
import { isDelivered, TunNetwork } from '../netlink/network-configuration.ts';
import { NetworkConfigurationError, RoutingTable } from '../netlink/routing-table.ts';
import { TunDevice } from '../tun-device.ts';

const device = new TunDevice('tun0');
let network: TunNetwork | undefined;
const questions = new RoutingTable(220, 7_823_737);

/** How many of 200 addresses that start so are of use as soon as they were added. */
function addMany(start: string): number {
  const all = Array.from({ length: 200 }, (_, i) => parseAddress(start + i.toString(16))!);
  return all.filter((address) => {
    network?.addAddress(address);
    return isDelivered(questions, address);
  }).length;
}

function carryOut(what: string, first = '', second?: string): string {
  const prefix = parsePrefix(first) as Prefix;
  const address = parseAddress(first)!;
  if (what === 'up') network = new TunNetwork(first, 220, 7_823_737, 1400);
  if (what === 'route')
    network?.addRoute(prefix, () => (second === undefined ? undefined : parseAddress(second)));
  if (what === 'no-route') network?.removeRoute(prefix);
  if (what === 'address') network?.addAddress(address);
  if (what === 'no-address') network?.removeAddress(address);
  if (what === 'restore') Array.from(network?.restore() ?? []);
  if (what === 'close') network?.close();
  return what === 'addresses' ? `${addMany(first)} at once` : '';
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const [what, ...words] = line.split(' ');
    console.log(`done ${carryOut(what!, ...words)}`);
  } catch (error) {
    if (!(error instanceof NetworkConfigurationError)) throw error;
    console.log(`done ${error.message}`);
  }
}
device.close();
