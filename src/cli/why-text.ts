// `wayward why` for people: whose the SPI was, what happened since, and what took its place, with times.
import type { WhyAnswer } from '#engine';
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

export function whyText(answer: WhyAnswer): string[] {
  const { spi, owner, live, successors, incidents, bootEpoch } = answer;
  const lines: string[] = [];
  if (spi !== undefined && owner === undefined) lines.push(`SPI ${formatSpi(spi)}: never ours, or forgotten`);
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
  for (const { atMs, remote, what, reason, detail } of incidents) {
    const from = remote === undefined ? '' : ` ${formatEndpoint(remote)}`;
    lines.push(`${time(atMs)} ${what}${from}: ${reason}: ${detail}`);
  }
  for (const one of successors) {
    lines.push(
      `${time(one.createdAtMs)} then SPI ${formatSpi(one.spi)}, ${one.ended === undefined ? 'alive' : `ended by ${one.ended.why}`}`,
    );
  }
  if (lines.length === 0) lines.push('nothing has happened yet');
  lines.push(`start ${bootEpoch} of this host`);
  return lines;
}
