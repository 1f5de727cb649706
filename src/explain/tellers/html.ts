// The story of a capture as one page that needs nothing else: no script, no network, light and dark.
import type { CaptureStory, Finding, PeerStory, StoryEvent } from '../story.ts';
import { count, duration } from '../words.ts';
import { dateText, sinceText } from './time-text.ts';

const style = `
:root { color-scheme: light dark; --line: #8884; --problem: #c62828; --notice: #b26a00; --note: #607d8b; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin-bottom: .3rem; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
code, .time { font-family: ui-monospace, monospace; font-size: .85rem; }
.time { white-space: nowrap; }
article { border-left: 4px solid var(--note); padding: .1rem 0 .1rem .8rem; margin: .8rem 0; }
article.problem { border-color: var(--problem); } article.notice { border-color: var(--notice); }
article p { margin: .2rem 0; } .why { opacity: .75; font-size: .9rem; }
.severity { font-weight: 600; } .problem .severity { color: var(--problem); } .notice .severity { color: var(--notice); }
svg { width: 100%; height: auto; } svg text { font: 11px ui-monospace, monospace; fill: currentColor; }
`;

/** @param name of the file */
export function storyHtml(story: CaptureStory, name: string): string {
  const { capture } = story;
  const firstUs = capture.first?.atUs ?? 0;
  const when =
    capture.first === undefined || capture.last === undefined
      ? ''
      : ` in ${duration(capture.last.atUs - firstUs)} from ${dateText(firstUs)}`;
  const kinds = `${capture.ike} IKE, ${capture.esp} ESP, ${capture.ah} AH, ${capture.hip} HIP, ${capture.icmpErrors} ICMP errors about them, ${capture.other} others`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(name)}, explained</title>
<style>${style}</style>
</head>
<body>
<h1>${escaped(name)}</h1>
<p>${count(capture.frames, 'frame')}${when}: ${kinds}.</p>
${story.findings.map((finding) => findingHtml(finding, firstUs)).join('\n')}
${story.peers.map((peer) => peerHtml(peer, firstUs)).join('\n')}
</body>
</html>
`;
}

/** Everything in a story may come from a stranger's packet. */
function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}

function findingHtml(finding: Finding, firstUs: number): string {
  const { severity, what, why, advice, frame, atUs, count: times } = finding;
  const again = times > 1 ? `, ${times} times` : '';
  return `<article class="${severity}">
<p><span class="severity">${severity}</span> ${escaped(what)}</p>
<p class="why">${escaped(why)} <span class="time">(${sinceText(firstUs, atUs)} #${frame}${again})</span></p>
<p>${escaped(advice)}</p>
</article>`;
}

function peerHtml(peer: PeerStory, firstUs: number): string {
  return `<h2>${peer.peers.map(escaped).join(' and ')}</h2>
${peer.findings.map((finding) => findingHtml(finding, firstUs)).join('\n')}
${picture(peer, firstUs)}
${eventsHtml(peer, firstUs)}
${tableHtml(
  'IKE SAs',
  ['initiator', 'responder', 'SPIs', 'suite', 'state', '#messages', '#repetitions'],
  peer.ikeSas.map((row) => [
    row.initiator + (row.initiatorIdentity === undefined ? '' : ` [${row.initiatorIdentity}]`),
    row.responder + (row.responderIdentity === undefined ? '' : ` [${row.responderIdentity}]`),
    `${row.initiatorSpi}_i ${row.responderSpi}_r`,
    row.suite ?? '',
    row.state,
    String(row.messages),
    String(row.retransmissions),
  ]),
)}
${tableHtml(
  'Child SAs',
  ['SPIs', 'suite', 'mode', 'selectors', 'made', 'ended'],
  peer.childSas.map((row) => [
    `${row.protocol} ${row.initiatorSpi}_i ${row.responderSpi}_r`,
    row.suite,
    row.mode,
    `${row.initiatorSelectors.join(' ')} === ${row.responderSelectors.join(' ')}`,
    `#${row.made.frame}`,
    row.ended === undefined ? '' : `#${row.ended.frame}`,
  ]),
)}
${tableHtml(
  'ESP and AH',
  ['SPI', 'from', 'made by', '#packets', '#octets', '#missing', '#again', 'frames', 'ICVs', 'carries'],
  peer.flows.map((row) => [
    `${row.protocol} ${row.spi}`,
    row.source,
    row.origin,
    String(row.packets),
    String(row.octets),
    String(row.missing),
    String(row.replayed),
    `#${row.first.frame} to #${row.last.frame}`,
    row.verified === undefined ? '' : `${row.verified} right, ${row.forged} wrong`,
    (row.carries ?? []).join(', '),
  ]),
)}
${tableHtml(
  'HIP associations',
  ['HITs', '#packets', 'SPIs'],
  peer.hipAssociations.map((row) => [
    `${row.initiatorHit} ${row.responderHit}`,
    String(row.packets),
    row.spis.join(' '),
  ]),
)}`;
}

function eventsHtml({ events, eventsLeftOut }: PeerStory, firstUs: number): string {
  if (events.length === 0) return '';
  const half = Math.ceil(events.length / 2);
  const rows = events.map((event, i) => {
    const gap =
      eventsLeftOut > 0 && i === half
        ? `<tr><td colspan="3">${count(eventsLeftOut, 'event')} in between</td></tr>\n`
        : '';
    return `${gap}${eventRow(event, firstUs)}`;
  });
  return `<h3>The story</h3>
<div class="scroll"><table>
${rows.join('\n')}
</table></div>`;
}

function eventRow({ atUs, frame, text }: StoryEvent, firstUs: number): string {
  return `<tr><td class="time">${sinceText(firstUs, atUs)}</td><td class="time">#${frame}</td><td>${escaped(text)}</td></tr>`;
}

function tableHtml(title: string, headings: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const kind = (i: number): string => (headings[i]!.startsWith('#') ? ' class="number"' : '');
  const head = headings.map((heading, i) => `<th${kind(i)}>${heading.replace(/^#/, '')}</th>`).join('');
  const body = rows.map(
    (row) => `<tr>${row.map((cell, i) => `<td${kind(i)}>${escaped(cell)}</td>`).join('')}</tr>`,
  );
  return `<h3>${title}</h3>
<div class="scroll"><table>
<tr>${head}</tr>
${body.join('\n')}
</table></div>`;
}

const pictureWidth = 900;
const labelWidth = 190;
const rowHeight = 18;
const flowsDrawn = 24;

/** When each SPI was in use: a bar each, over the time of the conversation. */
function picture({ flows }: PeerStory, firstUs: number): string {
  const drawn = flows.filter(({ packets }) => packets > 1).slice(0, flowsDrawn);
  if (drawn.length === 0) return '';
  const start = Math.min(...drawn.map(({ first }) => first.atUs));
  const end = Math.max(...drawn.map(({ last }) => last.atUs), start + 1);
  const x = (atUs: number): number =>
    labelWidth + ((atUs - start) / (end - start)) * (pictureWidth - labelWidth);
  const bars = drawn.map(({ first, last, spi, source, origin }, i) => {
    const width = Math.max(2, x(last.atUs) - x(first.atUs));
    const title = `${spi} of ${source}, ${sinceText(firstUs, first.atUs)} to ${sinceText(firstUs, last.atUs)}`;
    const opacity = origin === 'unknown' ? 0.45 : 0.9;
    return `<text x="0" y="${i * rowHeight + 13}">${escaped(`${spi} ${source}`)}</text>
<rect x="${x(first.atUs).toFixed(1)}" y="${i * rowHeight + 3}" width="${width.toFixed(1)}" height="12" rx="2" fill="#3f7fbf" opacity="${opacity}"><title>${escaped(title)}</title></rect>`;
  });
  const height = drawn.length * rowHeight + 16;
  return `<svg viewBox="0 0 ${pictureWidth} ${height}" role="img" aria-label="when each SPI was in use">
${bars.join('\n')}
<text x="${labelWidth}" y="${height - 2}">${sinceText(firstUs, start)}</text>
<text x="${pictureWidth - 4}" y="${height - 2}" text-anchor="end">${sinceText(firstUs, end)}</text>
</svg>`;
}
