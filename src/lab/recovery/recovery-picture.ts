// The p50 of each cell as a bar on a logarithmic scale, as an SVG that needs nothing else.
import { type RecoveryPolicyName, recoveryPolicyNames, recoveryScenarioNames } from './recovery-cell.ts';
import type { RecoveryCellSummary } from './recovery-summary.ts';
import { msText, policyTitles, scenarioTitles } from './recovery-table.ts';

const colours: Readonly<Record<RecoveryPolicyName, string>> = {
  silent: '#8c8c8c',
  'invalid-spi': '#c77c2b',
  qcd: '#3b7dd8',
  'qcd-resumption': '#2b4f9e',
  'full-ladder': '#2e8b57',
  checkpoint: '#7d4fa8',
  'legacy-peer': '#8fbc5a',
  'hip-silent': '#b5a7a0',
  'hip-parameter-problem': '#d8a13b',
  'hip-traps': '#c2607d',
  'hip-full-ladder': '#a3324f',
};

const left = 300;
const width = 560;
const barHeight = 11;
const groupGap = 16;
const top = 70;
const fromMs = 10;
const toMs = 1_000_000;

function x(ms: number): number {
  const share = Math.log10(Math.max(fromMs, ms) / fromMs) / Math.log10(toMs / fromMs);
  return left + Math.round(Math.min(1, share) * width);
}

/** @param caption stands under the title: how to make this picture again */
export function recoveryPicture(
  cells: readonly RecoveryCellSummary[],
  rttMs: number,
  caption: string,
): string {
  const shown = cells.filter((cell) => cell.rttMs === rttMs && cell.recoveryMs !== undefined);
  const parts: string[] = [];
  let y = top;
  for (const scenario of recoveryScenarioNames) {
    const group = recoveryPolicyNames.flatMap((policy) =>
      shown.filter((cell) => cell.scenario === scenario && cell.policy === policy),
    );
    if (group.length === 0) continue;
    const middle = y + (group.length * barHeight) / 2 + 4;
    parts.push(`<text x="${left - 8}" y="${middle}" text-anchor="end">${scenarioTitles[scenario]}</text>`);
    for (const { policy, recoveryMs } of group) {
      const { p50 } = recoveryMs!;
      const end = x(p50);
      parts.push(
        `<rect x="${left}" y="${y}" width="${Math.max(1, end - left)}" height="${barHeight - 2}" fill="${colours[policy]}"/>`,
        `<text x="${end + 4}" y="${y + barHeight - 3}" class="figure">${msText(p50)}${p50 >= 10_000 ? '' : ' ms'}</text>`,
      );
      y += barHeight;
    }
    y += groupGap;
  }
  const ticks: string[] = [];
  for (let ms = fromMs; ms <= toMs; ms *= 10) {
    const label = ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`;
    ticks.push(
      `<line x1="${x(ms)}" y1="${top - 8}" x2="${x(ms)}" y2="${y}" stroke="#ddd"/>`,
      `<text x="${x(ms)}" y="${y + 14}" text-anchor="middle" class="figure">${label}</text>`,
    );
  }
  const legend = recoveryPolicyNames
    .map((policy, at) => {
      const place = 10 + at * 150;
      return (
        `<rect x="${place}" y="${y + 28}" width="10" height="10" fill="${colours[policy]}"/>` +
        `<text x="${place + 14}" y="${y + 37}">${policyTitles[policy]}</text>`
      );
    })
    .join('');
  const title = `From the moment the host answers again until traffic flows both ways, median, RTT ${rttMs} ms`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 70} ${y + 50}" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    '<style>.figure{font-size:9px;fill:#444}</style>',
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="10" y="22" font-size="15">${title}</text>`,
    `<text x="10" y="40" class="figure">${caption}</text>`,
    ...ticks,
    ...parts,
    legend,
    '</svg>',
    '',
  ].join('\n');
}
