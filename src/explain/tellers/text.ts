// The story of a capture as text: what happened, what stands out and what to do, then the tables.
import type {
  CaptureStory,
  CaptureSummary,
  Finding,
  FlowRow,
  HipAssociationRow,
  IkeSaRow,
  PeerStory,
  Sighting,
} from '../story.ts';
import { count, duration } from '../words.ts';
import { table, wrapped } from './lines.ts';
import { dateText, sinceText } from './time-text.ts';

/** Pairs of peers with nothing but strays are counted, not told one by one, when there are many. */
const quietPacketsMax = 2;

/** @param name of the file; @param width in columns, at least 60 */
export function storyText(story: CaptureStory, name: string, width = 100): string[] {
  const columns = Math.max(60, width);
  const firstUs = story.capture.first?.atUs ?? 0;
  const told = story.peers.filter((peer) => !isQuiet(peer));
  const quiet = story.peers.length - told.length + story.capture.conversationsLeftOut;
  return [
    ...heading(story.capture, name, columns),
    ...findingLines(story.findings, firstUs, columns, 'About the capture'),
    ...told.flatMap((peer) => peerLines(peer, firstUs, columns)),
    ...(story.peers.length === 0 ? ['', 'Nothing of IKEv2, ESP, AH or HIP is in it.'] : []),
    ...(quiet > 0
      ? ['', ...wrapped('', `${count(quiet, 'more pair')} of addresses with hardly a packet each.`, columns)]
      : []),
  ];
}

function isQuiet({ packets, findings }: PeerStory): boolean {
  return packets <= quietPacketsMax && findings.length === 0;
}

function heading(capture: CaptureSummary, name: string, width: number): string[] {
  const { frames, first, last } = capture;
  const when =
    first === undefined || last === undefined
      ? ''
      : ` in ${duration(last.atUs - first.atUs)} from ${dateText(first.atUs)}`;
  const kinds: [number, string][] = [
    [capture.ike, 'IKE'],
    [capture.esp, 'ESP'],
    [capture.ah, 'AH'],
    [capture.hip, 'HIP'],
    [capture.keepalives, 'NAT keepalives'],
    [capture.icmpErrors, 'ICMP errors about them'],
    [capture.other, 'others'],
    [capture.unreadable, 'unreadable'],
  ];
  const parts = kinds.filter(([number]) => number > 0).map(([number, kind]) => `${number} ${kind}`);
  return [
    ...wrapped('', `${name}: ${count(frames, 'frame')}${when}`, width),
    ...(parts.length === 0 ? [] : wrapped('  ', parts.join(', '), width)),
  ];
}

function peerLines(peer: PeerStory, firstUs: number, width: number): string[] {
  const title = peer.peers.join(' and ');
  return [
    '',
    title,
    '='.repeat(title.length),
    ...eventLines(peer, firstUs, width),
    ...findingLines(peer.findings, firstUs, width, 'What stands out'),
    ...(peer.findingsLeftOut > 0 ? [`  and ${count(peer.findingsLeftOut, 'more finding')}`] : []),
    ...ikeSaLines(peer.ikeSas, width),
    ...childSaLines(peer),
    ...flowLines(peer, width),
    ...hipLines(peer.hipAssociations),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function eventLines({ events, eventsLeftOut }: PeerStory, firstUs: number, width: number): string[] {
  const times = events.map(({ atUs }) => sinceText(firstUs, atUs));
  const numbers = events.map(({ frame }) => `#${frame}`);
  const timeWidth = Math.max(0, ...times.map(({ length }) => length));
  const numberWidth = Math.max(0, ...numbers.map(({ length }) => length));
  const half = Math.ceil(events.length / 2);
  const lines = events.flatMap(({ text }, i) => {
    const prefix = `  ${times[i]!.padStart(timeWidth)}  ${numbers[i]!.padEnd(numberWidth)}  `;
    const gap = eventsLeftOut > 0 && i === half ? [`  ... ${count(eventsLeftOut, 'event')} in between`] : [];
    return [...gap, ...wrapped(prefix, text, width)];
  });
  return section('The story', lines);
}

function sightings({ frame, last, count: times }: Finding, firstUs: number, atUs: number): string {
  const at = `${sinceText(firstUs, atUs)} #${frame}`;
  return times > 1 ? `${at} and ${count(times - 1, 'more time')}, the last at #${last.frame}` : at;
}

function findingLines(findings: readonly Finding[], firstUs: number, width: number, title: string): string[] {
  const lines = findings.flatMap((finding) => [
    ...wrapped(`  ${finding.severity.toUpperCase().padEnd(8)}`, finding.what, width),
    ...wrapped('          why  ', `${finding.why} (${sightings(finding, firstUs, finding.atUs)})`, width),
    ...wrapped('          do   ', finding.advice, width),
  ]);
  return section(title, lines);
}

function seen(first: Sighting, last: Sighting): string {
  return `#${first.frame}-${last.frame}`;
}

function ikeSaLines(rows: readonly IkeSaRow[], width: number): string[] {
  const lines = rows.flatMap((row) => {
    const ends = `${named(row.initiator, row.initiatorIdentity)} ... ${named(row.responder, row.responderIdentity)}`;
    const facts = [
      `${row.state}, frames ${seen(row.first, row.last)}`,
      row.suite ?? 'suite not seen',
      count(row.messages, 'message'),
      count(row.retransmissions, 'repetition'),
      ...(row.opened > 0 ? [`${row.opened} opened`] : []),
      ...(row.sealed > 0 ? [`${row.sealed} sealed`] : []),
    ];
    return [
      `  ${row.initiatorSpi}_i ${row.responderSpi}_r`,
      ...wrapped('    ', ends, width),
      ...wrapped('    ', facts.join(', '), width),
    ];
  });
  return section('IKE SAs', lines);
}

function named(endpoint: string, identity: string | undefined): string {
  return identity === undefined ? endpoint : `${endpoint} [${identity}]`;
}

function childSaLines({ childSas }: PeerStory): string[] {
  const rows = childSas.map((row) => [
    `${row.protocol.toUpperCase()} ${row.initiatorSpi}_i ${row.responderSpi}_r`,
    row.suite,
    row.mode,
    row.ended === undefined ? `from #${row.made.frame}` : `#${row.made.frame}-${row.ended.frame}`,
    `${row.initiatorSelectors.join(' ')} === ${row.responderSelectors.join(' ')}`,
  ]);
  return section(
    'Child SAs',
    rows.length === 0 ? [] : table(['SPIs', 'suite', 'mode', 'frames', 'selectors'], rows),
  );
}

function flowLines({ flows, flowsLeftOut }: PeerStory, width: number): string[] {
  const verified = flows.some((row) => row.verified !== undefined);
  const rows = flows.map((row) => flowCells(row, verified));
  const headings = [
    'SPI',
    'from',
    '>packets',
    '>octets',
    'numbers',
    '>missing',
    '>again',
    'frames',
    'made by',
  ];
  const lines = table([...headings, ...(verified ? ['ICVs'] : [])], rows);
  const more = flowsLeftOut > 0 ? [`  and ${count(flowsLeftOut, 'more SPI')} with hardly a packet each`] : [];
  const carried = flows.flatMap(({ spi, carries = [] }) =>
    carries.length === 0 ? [] : wrapped(`  ${spi} carries `, carries.join(', '), width),
  );
  return section('ESP and AH', flows.length === 0 ? [] : [...lines, ...more, ...carried]);
}

const origins: Readonly<Record<FlowRow['origin'], string>> = {
  negotiated: 'IKE here',
  likely: 'IKE, likely',
  before: 'earlier',
  unknown: 'nobody',
};

function flowCells(row: FlowRow, verified: boolean): string[] {
  const name = `${row.protocol === 'ah' ? 'AH ' : ''}${row.spi}`;
  const checked =
    row.verified === undefined
      ? 'no key'
      : row.forged === 0
        ? `${row.verified} right`
        : `${row.forged} wrong`;
  return [
    name,
    row.source,
    String(row.packets),
    String(row.octets),
    `${row.firstSequence}-${row.lastSequence}`,
    String(row.missing),
    String(row.replayed),
    seen(row.first, row.last),
    origins[row.origin],
    ...(verified ? [checked] : []),
  ];
}

function hipLines(rows: readonly HipAssociationRow[]): string[] {
  const lines = rows.flatMap((row) => [
    `  ${row.initiatorHit}`,
    `    with ${row.responderHit}`,
    `    ${count(row.packets, 'packet')}, frames ${seen(row.first, row.last)}, SPIs ${row.spis.join(' ') || 'none told'}`,
  ]);
  return section('HIP associations', lines);
}
