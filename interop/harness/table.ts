// The table that `npm run interop` prints.
import { packageVersion } from '#daemon';
import type { Outcome } from './play.ts';
import { runProgram } from './processes.ts';
import { Strongswan } from './strongswan.ts';

const columns = ['scenario', 'wayward is', 'over', 'result', 'time', 'what was seen'] as const;

function cells({ run, failure, durationMs }: Outcome): string[] {
  const seen = failure === undefined ? run.scenario.expects : failure.message.split('\n')[0]!;
  const time = `${(durationMs / 1000).toFixed(1)} s`;
  return [run.name, run.role, run.family, failure === undefined ? 'passed' : 'FAILED', time, seen];
}

/** One line per run, in the order given. */
export function tableLines(outcomes: readonly Outcome[]): string[] {
  const rows = [[...columns], ...outcomes.map(cells)];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 4 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** Names and versions of everything that takes part. */
export async function versionsLine(): Promise<string> {
  const tshark = /TShark \(Wireshark\) (\S+)/.exec(await runProgram(['tshark', '--version']))?.[1];
  return (
    `wayward ${packageVersion()} with strongSwan ${await Strongswan.version()} ` +
    `(charon-systemd, ESP by kernel-libipsec), read by tshark ${tshark?.replace(/\.$/, '') ?? 'unknown'}`
  );
}
