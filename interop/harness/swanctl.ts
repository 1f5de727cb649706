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

function start(
  { folder, viciPath }: SwanctlTarget,
  words: readonly string[],
  within: readonly string[] = [],
): RunningProcess {
  return new RunningProcess([...within, 'swanctl', ...words, '--uri', `unix://${viciPath}`], {
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

/** A command without an end of its own, until `meanwhile` is over, which is given what it has printed so far. */
export async function swanctlWhile(
  target: SwanctlTarget,
  words: readonly string[],
  meanwhile: (printed: () => string) => Promise<void>,
): Promise<SwanctlEnding> {
  // Into a pipe it would print at its end only.
  const process = start(target, words, ['stdbuf', '-oL']);
  try {
    await meanwhile(() => process.standardOutput);
  } finally {
    await process.end('SIGINT');
  }
  return ending(process);
}
