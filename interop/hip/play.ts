// Plays one run of a HIP scenario; the logs of a failed one are kept.
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failuresFolder } from '../harness/paths.ts';
import { HipStage, type HipStageOptions } from './hip-stage.ts';
import { type HipScenario, hipScenarios } from './scenarios.ts';

export interface HipRun {
  readonly scenario: HipScenario;
  readonly network: HipStageOptions;
}

const timeLimitMs = 90_000;

export const hipRuns: readonly HipRun[] = hipScenarios.flatMap((scenario) =>
  scenario.networks.map((network) => ({ scenario, network })),
);

export function hipRunTitle({ scenario, network }: HipRun): string {
  const { family, udp, key } = network;
  return [
    'hip',
    scenario.name,
    ...(key === undefined ? [] : [key]),
    udp ? `UDP over ${family}` : family,
  ].join(', ');
}

/** Returns what was measured. @throws what went wrong; the message says where the logs are */
export async function playHip(run: HipRun): Promise<readonly string[]> {
  const stage = await HipStage.prepare(run.network);
  let timer: NodeJS.Timeout | undefined;
  try {
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it takes longer than ${timeLimitMs} ms`)), timeLimitMs);
    });
    await Promise.race([run.scenario.play(stage), limit]);
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

async function keep(stage: HipStage, run: HipRun): Promise<string> {
  const folder = join(failuresFolder, hipRunTitle(run).replaceAll(/[, ]+/g, '-'));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all(stage.hosts.map((host) => host.stop()));
  for (const host of stage.hosts) {
    const files = (source: string): boolean => !/\/(control|vici)[^/]*$/.test(source);
    await cp(host.folder, join(folder, host.name), { recursive: true, filter: files });
    await writeFile(join(folder, `${host.name}.log`), await host.log());
  }
  return folder;
}
