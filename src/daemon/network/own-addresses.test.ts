// Which addresses of this machine lead to it from elsewhere.
import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { address } from '#sa';
import { reachableAddresses } from './own-addresses.ts';

function device(internal: boolean, ...addresses: readonly string[]): NetworkInterfaceInfo[] {
  const rest = { netmask: '', mac: '', internal, cidr: null };
  return addresses.map((one) =>
    one.includes(':')
      ? { ...rest, family: 'IPv6', scopeid: 0, address: one }
      : { ...rest, family: 'IPv4', address: one },
  );
}

test('what is on the loopback device counts, as routers have it there, but for loopback addresses', () => {
  const interfaces = {
    lo: device(true, '127.0.0.1', '127.0.1.1', '::1', '192.0.2.1', '2001:db8::1'),
    eth0: device(false, '198.51.100.1'),
    wayward0: device(false, '10.3.0.1'),
  };
  assert.deepEqual(
    [...reachableAddresses('wayward0', interfaces)].sort(),
    ['192.0.2.1', '198.51.100.1', '2001:db8::1'].map(address),
  );
});
