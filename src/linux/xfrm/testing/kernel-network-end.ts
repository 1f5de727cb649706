// Routes of the kernel data plane for tests within a namespace: what its standard input says, it does.
import { createInterface } from 'node:readline';
import { parseAddress, parsePrefix } from '#sa';
import { KernelNetwork } from '../kernel-network.ts';

const network = new KernelNetwork(220, 7_823_737);

function carryOut(what: string, first = '', source?: string, peer?: string): void {
  const prefix = parsePrefix(first)!;
  const given = (text: string | undefined) =>
    text === undefined || text === '-' ? undefined : parseAddress(text);
  if (what === 'route') network.addRoute(prefix, () => given(source), given(peer));
  if (what === 'no-route') network.removeRoute(prefix);
  if (what === 'address') network.addAddress(parseAddress(first)!);
  if (what === 'no-address') network.removeAddress(parseAddress(first)!);
  if (what === 'restore') Array.from(network.restore());
  if (what === 'close') network.close();
}

for await (const line of createInterface({ input: process.stdin })) {
  const [what, ...words] = line.split(' ');
  carryOut(what!, ...words);
  console.log('done');
}
