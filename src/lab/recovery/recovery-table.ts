// The figures of all cells as a table for people.
import { isAttack, type RecoveryPolicyName, type RecoveryScenarioName } from './recovery-cell.ts';
import type { RecoveryCellSummary, Spread } from './recovery-summary.ts';

export const scenarioTitles: Readonly<Record<RecoveryScenarioName, string>> = {
  'responder-restarts': 'responder restarts',
  'responder-restarts-cookie': 'responder restarts, COOKIE demanded',
  'responder-restarts-loss': 'responder restarts, 10 % loss',
  'initiator-restarts': 'initiator restarts',
  'both-restart': 'both restart',
  'sibling-takes-over': 'sibling with the same records takes over',
  'long-outage': 'path gone for 60 s',
  'nat-rebinding': 'NAT rebinding',
  'forged-hints-on-path': 'forged hints, attacker on path',
  'forged-hints-off-path': 'forged hints, attacker off path',
  'esp-flood': 'flood of spoofed ESP',
};

export const policyTitles: Readonly<Record<RecoveryPolicyName, string>> = {
  silent: 'silent',
  'invalid-spi': 'INVALID_SPI only',
  qcd: 'QCD',
  'qcd-resumption': 'QCD + resumption',
  'full-ladder': 'full ladder',
  checkpoint: 'full ladder, checkpoint',
  'legacy-peer': 'full ladder, legacy peer',
  'hip-silent': 'HIP, silent',
  'hip-parameter-problem': 'HIP, Parameter Problem only',
  'hip-traps': 'HIP, silent, traffic calls',
  'hip-full-ladder': 'HIP, full ladder',
};

const columns = [
  'incident',
  'equipment',
  'RTT ms',
  'back ms, p50 / p99',
  'back RTTs, p50 / p99',
  'packets lost',
  'messages',
  'octets out per octet in',
  'false teardowns',
  'SA changes',
] as const;

export function msText(ms: number): string {
  return ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)}`;
}

function rttsText(rtts: number): string {
  return rtts >= 100 ? String(Math.round(rtts)) : rtts.toFixed(1);
}

function pair({ p50, p99 }: Spread, text: (value: number) => string): string {
  return `${text(p50)} / ${text(p99)}`;
}

function rowOf(one: RecoveryCellSummary): string[] {
  const { recoveryMs, recoveryRtts, recovered, seeds } = one;
  const never = recovered < seeds ? ` (${seeds - recovered} of ${seeds} never)` : '';
  return [
    scenarioTitles[one.scenario],
    policyTitles[one.policy],
    String(one.rttMs),
    recoveryMs === undefined ? `-${isAttack(one.scenario) ? '' : never}` : pair(recoveryMs, msText) + never,
    recoveryRtts === undefined ? '-' : pair(recoveryRtts, rttsText),
    pair(one.packetsLost, String),
    pair(one.messages, String),
    one.bytesOutPerByteIn.toFixed(3),
    String(one.falseTeardowns),
    one.saChanges === undefined ? '-' : String(one.saChanges),
  ];
}

/** Columns padded to one width each. */
function paddedRows(cells: readonly RecoveryCellSummary[]): string[][] {
  const rows = [[...columns], ...cells.map(rowOf)];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  return rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at]!)));
}

/** For a terminal. */
export function recoveryTable(cells: readonly RecoveryCellSummary[]): string[] {
  return paddedRows(cells).map((row) => row.join('  ').trimEnd());
}

/** The same as a table of a Markdown document. */
export function recoveryMarkdown(cells: readonly RecoveryCellSummary[]): string[] {
  const [head = [], ...rows] = paddedRows(cells);
  const rule = head.map((cell) => '-'.repeat(cell.length));
  return [head, rule, ...rows].map((row) => `| ${row.join(' | ')} |`);
}
