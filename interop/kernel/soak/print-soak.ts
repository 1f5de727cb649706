// A soak's result for people.
import { tunnels } from './soak-configuration.ts';
import type { Holdings, SoakResult } from './soak-lab.ts';

const mib = (kib: number): string => `${(kib / 1_024).toFixed(1)} MiB`;

function holdingsText(one: Holdings): string {
  const sas = `IKE SAs ${one.ikeSas}, Child SAs ${one.childSas}, in the guest's kernel ${one.kernelSas} SAs and ${one.kernelPolicies} policies`;
  return `resident ${mib(one.residentKib)}, heap ${mib(one.heapKib)}, descriptors ${one.descriptors}, threads ${one.threads}; ${sas}`;
}

const countsText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

export function printSoak(result: SoakResult): void {
  const { pings, link, weather, residentKib } = result;
  const { lossPercent, ikeLossPercent, delayMs, jitterMs } = weather;
  console.log(
    `${result.plane}: ${result.minutes} minutes, ${lossPercent} % of ESP and ${ikeLossPercent} % of IKE lost, delayed ${delayMs} ± ${jitterMs} ms`,
  );
  for (const tunnel of tunnels) {
    const { childRekeys, ikeRekeys, collisions } = result.tunnels[tunnel];
    console.log(
      `  ${tunnel.padEnd(7)} Child SA rekeyed ${childRekeys} times, IKE SA ${ikeRekeys} times, collisions ${collisions}`,
    );
  }
  console.log(
    `  pings   ${pings.answered} answered, ${pings.lost} lost, ${pings.repeated} repeated, ${pings.overtaken} overtaken, at most ${pings.lostInARow} lost in a row, ${pings.longestGap}`,
  );
  console.log(
    `  netem   ESP ${link.esp.passed} passed, ${link.esp.dropped} dropped; IKE ${link.ike.passed} passed, ${link.ike.dropped} dropped`,
  );
  for (const name of ['begin', 'warm', 'end'] as const)
    console.log(`  ${name.padEnd(7)} minute ${result[name].minute}: ${holdingsText(result[name])}`);
  console.log(`  memory  ${residentKib.map((kib) => (kib / 1_024).toFixed(0)).join(' ')} MiB`);
  const { warm, end } = result.packetThreadHeapKib;
  console.log(`          heap of the packet thread ${mib(warm)}, at the end ${mib(end)}`);
  console.log(`  devices ${countsText(result.deviceDrops)}`);
  console.log(`  packets ${countsText(result.verdicts)}`);
  if (result.xfrmStatistics !== '')
    console.log(
      `  kernel  ${result.xfrmStatistics
        .trim()
        .replace(/\s*\n/g, ', ')
        .replace(/[ \t]+/g, ' ')}`,
    );
  for (const line of result.complaints) console.log(`  said    ${line}`);
}
