// `wayward why` for people: whose the SPI was, what happened since, and what took its place, with times.
import type { Incident, WhyAnswer } from '#engine';
import { formatEndpoint, formatSpi } from '#sa';

/** `c0ffee00`, `0xc0ffee00` or `last`. */
export function whySubject(word: string): number | 'last' | undefined {
  if (word === 'last') return word;
  const digits = /^(?:0x)?([0-9a-f]{1,8})$/i.exec(word)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function incidentText({ remote, what, reason, detail, count, lastAtMs }: Incident): string {
  const from = remote === undefined ? '' : ` ${formatEndpoint(remote)}`;
  const again =
    count === undefined
      ? ''
      : ` (${count} times${lastAtMs === undefined ? '' : `, until ${time(lastAtMs)}`})`;
  return `${what}${from}: ${reason}: ${detail}${again}`;
}

/** Lines for people. */
export function whyText(answer: WhyAnswer): string[] {
  const { spi, connection, owner, live, successors, incidents, bootEpoch } = answer;
  const lines: string[] = [];
  if (spi !== undefined && owner === undefined) {
    const whose =
      connection === undefined ? 'never ours, or forgotten' : `not ours, but of the peer of ${connection}`;
    lines.push(`SPI ${formatSpi(spi)}: ${whose}`);
  } else if (connection !== undefined && owner === undefined) lines.push(`connection ${connection}`);
  if (owner !== undefined) {
    lines.push(
      `SPI ${formatSpi(owner.spi)}: ${owner.protocol} of ${owner.connection}/${owner.child}, ${live ? 'alive' : 'ended'}`,
      `  local  ${owner.localIdentity}`,
      `  remote ${owner.remoteIdentity} @ ${formatEndpoint({ address: owner.peer, port: owner.peerPort })}`,
      `  IKE SA ${owner.initiatorSpi}_i ${owner.responderSpi}_r, crash detection ${owner.quickCrashDetection ? 'yes' : 'no'}`,
      `  made   ${time(owner.createdAtMs)}`,
    );
    if (owner.ended !== undefined) lines.push(`  ended  ${time(owner.ended.atMs)}, ${owner.ended.why}`);
  }
  const told = incidents.map((incident) => ({ atMs: incident.atMs, text: incidentText(incident) }));
  for (const one of successors) {
    const fate = one.ended === undefined ? 'alive' : `ended by ${one.ended.why}`;
    told.push({ atMs: one.createdAtMs, text: `then SPI ${formatSpi(one.spi)}, ${fate}` });
  }
  told.sort((a, b) => a.atMs - b.atMs);
  const [first] = told;
  for (const { atMs, text } of told) {
    const after = ((atMs - first!.atMs) / 1000).toFixed(3);
    lines.push(`${time(atMs)} +${after} s ${text}`);
  }
  if (lines.length === 0) lines.push('nothing has happened yet');
  lines.push(`start ${bootEpoch} of this host`);
  return lines;
}
