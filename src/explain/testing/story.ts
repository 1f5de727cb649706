// Explaining a file that is in memory, and asking its story.
import assert from 'node:assert/strict';
import { Explainer, type ExplainOptions } from '../explainer.ts';
import type { CaptureStory, Finding, PeerStory } from '../story.ts';

export function explained(file: Uint8Array, options: ExplainOptions = {}, chunk = 1_000): CaptureStory {
  const explainer = new Explainer(options);
  for (let at = 0; at < file.length; at += chunk) explainer.push(file.subarray(at, at + chunk));
  return explainer.finish();
}

export function onlyPeers(story: CaptureStory): PeerStory {
  assert.equal(story.peers.length, 1);
  return story.peers[0]!;
}

export function codes(findings: readonly Finding[]): string[] {
  return findings.map(({ code }) => code).toSorted();
}

export function finding(from: { readonly findings: readonly Finding[] }, code: string): Finding {
  const found = from.findings.filter((one) => one.code === code);
  assert.equal(found.length, 1, `findings ${codes(from.findings).join(' ')}`);
  return found[0]!;
}
