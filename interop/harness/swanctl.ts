// Debian's swanctl, unmodified, against the vici socket of either peer.
import { RunningProcess } from './processes.ts';

export interface SwanctlEnding {
  readonly status: number | null;
  readonly output: string;
}

export interface SwanctlTarget {
  readonly folder: string;
  readonly viciPath: string;
}

function start({ folder, viciPath }: SwanctlTarget, words: readonly string[]): RunningProcess {
  return new RunningProcess(['swanctl', ...words, '--uri', `unix://${viciPath}`], {
    environment: { SWANCTL_DIR: folder },
  });
}

async function ending(process: RunningProcess): Promise<SwanctlEnding> {
  await process.ended;
  return { status: process.exitStatus, output: process.output };
}

/** Runs to its end, whatever that is. */
export function swanctl(target: SwanctlTarget, ...words: readonly string[]): Promise<SwanctlEnding> {
  return ending(start(target, words));
}

/** A command without an end of its own, until `meanwhile` is over; only then its output is whole. */
export async function swanctlWhile(
  target: SwanctlTarget,
  words: readonly string[],
  meanwhile: () => Promise<void>,
): Promise<SwanctlEnding> {
  const process = start(target, words);
  try {
    await meanwhile();
  } finally {
    await process.end('SIGINT');
  }
  return ending(process);
}
