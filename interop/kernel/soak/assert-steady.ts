// What a soak has to show: tunnels that were replaced as often as their lifetimes say lost no packet but those that netem took,
// and wayward holds at the end what it held when it was warm.
import assert from 'node:assert/strict';
import { floors } from './figures.ts';
import { childRekeySeconds, ikeRekeySeconds, tunnels } from './soak-configuration.ts';
import type { SoakResult } from './soak-lab.ts';

/** Of the rekeyings that would fit: each takes a few round trips, and one whose packets are lost takes seconds. */
const childRekeyShareMin = 0.85;
const ikeRekeyShareMin = 0.7;

// Growth from when wayward was warm, as measured: of resident memory 6 to 7.5 MiB in half an hour in which the packet thread kept
// its garbage, and 2 to 3 MiB in twelve minutes without that; of the heap half a MiB, most of it code that is compiled late; of
// the packet thread's a quarter. With that a leak of 5 KiB for each of the 200 rekeyings would be seen in either heap.
const residentGrowthKibMax = 12 * 1_024;
const heapGrowthKibMax = 1_024;
const packetThreadHeapGrowthKibMax = 1_024;

/** @throws AssertionError */
export function assertSteady(result: SoakResult): void {
  const told = `${result.plane}:\n${JSON.stringify(result, undefined, 2)}`;
  const { pings, link, warm, end, minutes } = result;

  const childRekeys = (minutes * 60) / childRekeySeconds;
  const ikeRekeys = Math.floor((minutes * 60) / ikeRekeySeconds);
  for (const tunnel of tunnels) {
    const done = result.tunnels[tunnel];
    assert.ok(
      done.childRekeys >= Math.floor(childRekeyShareMin * childRekeys),
      `tunnel ${tunnel} was rekeyed ${done.childRekeys} times in ${minutes} minutes, ${told}`,
    );
    assert.ok(
      done.ikeRekeys >= Math.floor(ikeRekeyShareMin * ikeRekeys),
      `the IKE SA of ${tunnel} was rekeyed ${done.ikeRekeys} times in ${minutes} minutes, ${told}`,
    );
  }

  // Only pings and their answers are in the tunnels. Each of either that netem drops costs one ping, and nothing else may; but
  // on a starved machine a device may have no room. Its kernel counts that, too, without saying what the packet was.
  const byDevices = Object.values(result.deviceDrops).reduce((sum, count) => sum + count, 0);
  const { dropped } = link.esp;
  assert.ok(
    pings.lost >= dropped && pings.lost <= dropped + byDevices,
    `${pings.lost} pings were lost, and ${dropped} ESP packets were dropped on purpose, ${told}`,
  );
  assert.equal(pings.repeated, 0, `a packet was let in twice, ${told}`);
  // Else nothing was tried.
  assert.ok(link.esp.dropped > 0 && link.ike.dropped > 0 && pings.overtaken > 0, `fair weather, ${told}`);

  assert.equal(end.descriptors, warm.descriptors, `descriptors leak, ${told}`);
  assert.equal(end.threads, warm.threads, `threads leak, ${told}`);
  const thread = result.packetThreadHeapKib;
  const resident = floors(result.residentKib);
  for (const [what, growth, most] of [
    // While it soaked: to be asked again and again whether all is settled takes memory of its own.
    ['resident memory', resident.end - resident.warm, residentGrowthKibMax],
    ['the heap', end.heapKib - warm.heapKib, heapGrowthKibMax],
    ['the heap of the packet thread', thread.end - thread.warm, packetThreadHeapGrowthKibMax],
  ] as const)
    assert.ok(growth <= most, `${what} has grown by ${growth} KiB, more than ${most}, ${told}`);
  assert.equal(end.kernelPolicies, warm.kernelPolicies, `policies leak, ${told}`);
}
