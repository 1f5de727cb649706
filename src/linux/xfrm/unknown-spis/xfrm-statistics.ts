// The kernel's own counters of what its IPsec refused, of all key managers together.
import { readFileSync } from 'node:fs';

/** By the kernel's names; empty if it was built without them. */
export function xfrmStatistics(): ReadonlyMap<string, number> {
  let text: string;
  try {
    text = readFileSync('/proc/net/xfrm_stat', 'latin1');
  } catch {
    return new Map();
  }
  return parseXfrmStatistics(text);
}

export function parseXfrmStatistics(text: string): ReadonlyMap<string, number> {
  const counters = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^(Xfrm\w+)\s+(\d+)$/.exec(line);
    if (match !== null) counters.set(match[1]!, Number(match[2]));
  }
  return counters;
}
