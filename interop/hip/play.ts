// Plays one run of a HIP scenario; of a failed one logs are kept, and what daemons and kernels had counted by then.
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { patienceMs } from '../harness/eventually.ts';
import { failuresFolder } from '../harness/paths.ts';
import { runProgram } from '../harness/processes.ts';
import type { HipHost } from './hip-host.ts';
import { HipStage, type HipStageOptions } from './hip-stage.ts';
import { type MultihomedNetwork, multihomedNetworks } from './multihoming/multihoming-stage.ts';
import { outageMsMax, playMultihoming } from './multihoming/scenario.ts';
import { rendezvousNetworks } from './rendezvous/rendezvous-stage.ts';
import { playRendezvous } from './rendezvous/scenario.ts';
import { hipScenarios } from './scenarios.ts';

/** What a scenario is played on. */
export interface PlayedStage {
  readonly hosts: readonly HipHost[];
  /** What was measured, for people. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

export interface HipRun {
  readonly title: string;
  readonly expects: string;
  /** Nothing runs yet after it. */
  prepare(): Promise<{ readonly stage: PlayedStage; play(): Promise<void> }>;
}

const timeLimitMs = 5 * patienceMs;

export const hipRuns: readonly HipRun[] = [
  ...hipScenarios.flatMap((scenario) =>
    scenario.networks.map((network) => ({
      title: titleOf(scenario.name, network),
      expects: scenario.expects,
      prepare: async () => {
        const stage = await HipStage.prepare(network);
        return { stage, play: () => scenario.play(stage) };
      },
    })),
  ),
  ...rendezvousNetworks.map((network) => ({
    title: titleOf('rendezvous', network),
    expects: 'who knows only the address of a server finds its client by HIT, also after either has gone',
    prepare: () => playRendezvous(network),
  })),
  ...multihomedNetworks.map((network) => ({
    title: multihomedTitle(network),
    expects: `with two links, pings are answered again within ${outageMsMax} ms of the loss of either`,
    prepare: () => playMultihoming(network),
  })),
];

function multihomedTitle({ families: [first, second], udp }: MultihomedNetwork): string {
  const families = first === second ? first : `${first} and ${second}`;
  return `hip, multihoming, ${udp ? `UDP over ${families}` : families}`;
}

function titleOf(name: string, { family, udp, key, peer }: HipStageOptions): string {
  const more = [...(key === undefined ? [] : [key]), ...(peer === undefined ? [] : ['asked for'])];
  return ['hip', name, ...more, udp ? `UDP over ${family}` : family].join(', ');
}

/** Returns what was measured. @throws what went wrong; the message says where the logs are */
export async function playHip(run: HipRun): Promise<readonly string[]> {
  const { stage, play } = await run.prepare();
  let timer: NodeJS.Timeout | undefined;
  try {
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it takes longer than ${timeLimitMs} ms`)), timeLimitMs);
    });
    await Promise.race([play(), limit]);
    return stage.notes;
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    failure.message += `\n(configurations and logs are in ${await keep(stage, run)})`;
    throw failure;
  } finally {
    clearTimeout(timer);
    await stage.close();
  }
}

async function keep(stage: PlayedStage, run: HipRun): Promise<string> {
  const folder = join(failuresFolder, run.title.replaceAll(/[, ]+/g, '-'));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const host of stage.hosts)
    await writeFile(join(folder, `${host.name}.counters`), await counters(host));
  await Promise.all(stage.hosts.map((host) => host.stop()));
  for (const host of stage.hosts) {
    const files = (source: string): boolean => !/\/(control|vici)[^/]*$/.test(source);
    await cp(host.folder, join(folder, host.name), { recursive: true, filter: files });
    await writeFile(join(folder, `${host.name}.log`), await host.log());
  }
  return folder;
}

async function counters(host: HipHost): Promise<string> {
  const { namespace } = host;
  const asked = [
    host.command('status', '--json'),
    ...[
      ['ip', '-s', 'address'],
      ['ip', '-6', 'route'],
      ['cat', '/proc/net/snmp6', '/proc/net/snmp'],
    ].map((words) => runProgram(words, { namespace })),
  ];
  const answers = await Promise.all(asked.map((answer) => answer.catch((error: Error) => error.message)));
  return answers.join('\n');
}
