// A hosts file for HIP: lines of a HIT, its addresses and perhaps a name -> peers with the places to complain about them.
import type { HipPeer } from '#engine';
import { hitAddress, type IpAddress, parseAddress } from '#sa';
import type { Hit } from '#wire';
import { Findings } from '../error.ts';
import type { Position } from '../position.ts';
import { BadValue } from '../values/bad-value.ts';
import { parseHit } from '../values/host-identity-tag.ts';

/** A peer and the place that speaks of it. */
export interface PlacedPeer {
  readonly peer: HipPeer;
  readonly position: Position;
}

interface Word {
  readonly text: string;
  readonly position: Position;
}

/**
 * The peers of a hosts file. A line without a name is named by its HIT.
 *
 * @throws ConfigurationErrors with everything that is wrong
 */
export function parseHipHosts(text: string, file: string): readonly HipPeer[] {
  const findings = new Findings();
  const peers = readHipHosts(text, file, findings);
  findings.throwIfAny();
  return peers.map(({ peer }) => peer);
}

export function readHipHosts(text: string, file: string, findings: Findings): readonly PlacedPeer[] {
  const peers: PlacedPeer[] = [];
  const byHit = new Map<Hit | undefined, PlacedPeer>();
  const byName = new Map<string, PlacedPeer>();
  for (const [index, line] of text.split('\n').entries()) {
    const placed = readLine(wordsOf(line, file, index + 1), findings);
    if (placed === undefined) continue;
    const { hit, name } = placed.peer;
    const same = byHit.get(hit) ?? byName.get(name);
    if (same === undefined) {
      peers.push(placed);
      byHit.set(hit, placed);
      byName.set(name, placed);
    } else {
      const what = same.peer.hit === hit ? 'this HIT' : `the name "${name}"`;
      findings.error('conflict', placed.position, `line ${same.position.line} has ${what} too`);
    }
  }
  return peers;
}

function wordsOf(line: string, file: string, number: number): readonly Word[] {
  const [said = ''] = line.split('#');
  return [...said.matchAll(/\S+/g)].map(({ 0: text, index }) => ({
    text,
    position: { file, line: number, column: index + 1 },
  }));
}

function readLine([first, ...rest]: readonly Word[], findings: Findings): PlacedPeer | undefined {
  if (first === undefined) return undefined;
  const hit = hitOf(first, findings);
  const addresses: IpAddress[] = [];
  let name: string | undefined;
  for (const { text, position } of rest) {
    const address = parseAddress(text);
    if (name !== undefined) {
      findings.error('syntax', position, 'nothing stands behind the name of a host');
      return undefined;
    }
    if (address !== undefined) addresses.push(address);
    else if (isName(text)) name = text;
    else {
      findings.error('bad-value', position, 'expected an address of the host, or its name');
      return undefined;
    }
  }
  if (hit === undefined) return undefined;
  return { peer: { name: name ?? hitAddress(hit), hit, addresses }, position: first.position };
}

function hitOf({ text, position }: Word, findings: Findings): Hit | undefined {
  try {
    return parseHit(text);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    findings.error('bad-value', position, `expected ${error.message}`);
    return undefined;
  }
}

/** Letters first, so that an address that is misspelled is no name. */
function isName(text: string): boolean {
  return text.length <= 253 && /^[A-Za-z_][A-Za-z0-9._-]*$/.test(text);
}
