// Warnings at the start and at each reload.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfiguration } from '#config';
import { configurationPorts } from './load-configuration-file.ts';
import { withoutDevices } from './without-devices.ts';

const child = (name: string, line = ''): string => `${name} {\nremote_ts = 10.2.0.0/16\n${line}\n}`;
const text = `connections { net {
remote_addrs = 192.0.2.1
local { auth = psk
}
remote { auth = psk
}
children {
${child('plain')}
${child('best', 'hw_offload = auto')}
${child('all', 'hw_offload = packet')}
${child('ciphers', 'hw_offload = yes')}
} } }
secrets { ike { secret = hush
} }`;

test('a child that must be offloaded is named where nothing can be', () => {
  const { configuration } = loadConfiguration({ text, file: '/test.conf', ports: configurationPorts });
  assert.deepEqual(withoutDevices(configuration), [
    "net.all: hw_offload = packet has no effect: devices are the kernel's, and this process protects packets",
    "net.ciphers: hw_offload = crypto has no effect: devices are the kernel's, and this process protects packets",
  ]);
});
