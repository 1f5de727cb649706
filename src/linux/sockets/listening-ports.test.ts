// What /proc/net tells of listeners.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listeningPorts } from './listening-ports.ts';

/** Lines of a Linux 6.1, with spaces as they are. */
const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20461 1 0000000000000000
   1: 0100007F:0277 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20462 1 0000000000000000
   2: 0201630A:C350 0102630A:0050 01 00000000:00000000 00:00000000 00000000     0        0 20463 1 0000000000000000
  10: 01000001:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20464 1 0000000000000000
`;
const udp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr
   74: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000
   75: 00000000000000000000000001000000:0143 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000
   76: 22000120543A3D5C02BD2F177A6D8552:1389 22000120543A3D5C02BD2F177A6D8552:0035 01 00000000:00000000 00:00000000
`;

test('sockets that wait for anybody listen; connected ones and those of the loopback device do not', () => {
  assert.deepEqual([...listeningPorts('tcp', tcp)], [8080, 22]);
  assert.deepEqual([...listeningPorts('udp', udp6)], [53]);
  assert.deepEqual([...listeningPorts('tcp', '')], []);
});
