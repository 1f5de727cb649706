// The end of a conversation: what only its whole can tell, and its story as plain data.
import type { Conversation } from './conversation.ts';
import { concludeFlow } from './esp/flow-tracker.ts';
import type { TrackedIkeSa } from './ike/tracked-ike-sa.ts';
import type { PeerStory } from './story.ts';
import { count } from './words.ts';

/** So many packets one way, and none back, are no accident. */
const oneWayMin = 10;

export function concludeConversation(conversation: Conversation): void {
  const { silence, flows } = conversation;
  silence.end();
  for (const flow of flows.values()) concludeFlow(conversation, flow);
  oneWayEsp(conversation);
  doubleSas(conversation);
}

function oneWayEsp(conversation: Conversation): void {
  const { peers, silence, findings } = conversation;
  for (const side of [0, 1] as const) {
    const other = side === 0 ? 1 : 0;
    const sent = silence.espFrom(side);
    if (sent < oneWayMin || silence.espFrom(other) > 0 || silence.ikeFrom(other) === 0) continue;
    const flow = [...conversation.flows.values()].find(({ source }) => source === peers[side]);
    findings.find(flow?.first ?? { frame: 0, atUs: 0 }, {
      code: 'esp-one-way',
      severity: 'problem',
      about: peers[side],
      what: `ESP goes from ${peers[side]} to ${peers[other]} only, although IKE works both ways`,
      why: `${count(sent, 'packet')} one way, none back`,
      advice:
        `Unless the traffic is one-way by nature: a firewall lets IKE through and drops ESP of ${peers[other]} (IP protocol ` +
        `50; encap = yes puts it in UDP 4500), its routes do not lead into the tunnel, or its answers take another path.`,
    });
  }
}

/** Two IKE SAs that both stand to the end: after a reboot or a race, traffic may use either. */
function doubleSas(conversation: Conversation): void {
  const standing = [...conversation.ikeSas.values()].filter(({ state }) => state === 'established');
  const [older, newer] = standing.toSorted((a, b) => a.first.frame - b.first.frame);
  if (older === undefined || newer === undefined || !overlap(older, newer)) return;
  conversation.findings.find(newer.first, {
    code: 'double-ike-sa',
    severity: 'notice',
    about: newer.name,
    what: `${count(standing.length, 'IKE SA')} stand between the two at the same time`,
    why: `${older.name} is still used in frame ${older.last.frame}, after ${newer.name} began`,
    advice:
      'Both sides called at once, or one kept an SA that the other had lost. Set unique = replace, or let one side alone initiate.',
  });
}

function overlap(older: TrackedIkeSa, newer: TrackedIkeSa): boolean {
  return older.last.frame > newer.last.frame || (older.last.frame > newer.first.frame && newer.messages > 2);
}

export function peerStory(conversation: Conversation): PeerStory {
  const { events, findings } = conversation;
  const sas = [...conversation.ikeSas.values()].toSorted((a, b) => a.first.frame - b.first.frame);
  const flows = [...conversation.flows.values()].toSorted((a, b) => a.first.frame - b.first.frame);
  return {
    peers: conversation.peers,
    packets: conversation.packets,
    events: events.all(),
    eventsLeftOut: events.leftOut,
    findings: findings.all(),
    findingsLeftOut: findings.leftOut,
    ikeSas: sas.map((sa) => sa.row()),
    childSas: sas.flatMap(({ children }) =>
      children.map(({ row, ended }) => (ended === undefined ? row : { ...row, ended })),
    ),
    flows: flows.map((flow) => flow.row()),
    flowsLeftOut: conversation.flows.leftOut,
    hipAssociations: [...conversation.hipAssociations.values()].map((one) => one.row()),
  };
}
