// The story of a capture for programs: one JSON object a line, each with its `kind`.
import type { CaptureStory } from '../story.ts';

/** The capture first, then what is found about it, then pair by pair: events, findings, SAs, SPIs. */
export function* storyJsonLines(story: CaptureStory): Generator<string> {
  yield JSON.stringify({ kind: 'capture', ...story.capture });
  for (const finding of story.findings) yield JSON.stringify({ kind: 'finding', ...finding });
  for (const { peers, ...peer } of story.peers) {
    const { packets, eventsLeftOut, findingsLeftOut, flowsLeftOut } = peer;
    yield JSON.stringify({ kind: 'peers', peers, packets, eventsLeftOut, findingsLeftOut, flowsLeftOut });
    const lists = [
      ['event', peer.events],
      ['finding', peer.findings],
      ['ike-sa', peer.ikeSas],
      ['child-sa', peer.childSas],
      ['flow', peer.flows],
      ['hip-association', peer.hipAssociations],
    ] as const;
    for (const [kind, rows] of lists) {
      for (const row of rows) yield JSON.stringify({ kind, peers, ...row });
    }
  }
}
