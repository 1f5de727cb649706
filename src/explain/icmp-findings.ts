// What routers and hosts say by ICMP of the packets between two peers.
import type { Conversation } from './conversation.ts';
import type { IcmpReport } from './ingress/icmp-report.ts';

export function icmpFound(conversation: Conversation, { at, from, meaning, mtu, about }: IcmpReport): void {
  const { findings, silence } = conversation;
  const { source, destination, what } = about;
  const packet = what === 'ike' ? 'IKE messages' : `${what.toUpperCase()} packets`;
  const self = from === destination.address;
  const gone = meaning === 'port-unreachable' || meaning === 'protocol-unreachable';
  if (self && gone) silence.unreachable(conversation.sideOf(from), at);
  const towards = `${packet} of ${source.address} to ${destination.address}`;
  const why = `ICMP from ${from} about them, frame ${at.frame}`;
  if (meaning === 'too-big') {
    findings.find(at, {
      code: 'too-big',
      severity: 'notice',
      about: `${from} ${mtu}`,
      what: `${towards} are too large for the path${mtu === undefined || mtu === 0 ? '' : `: ${mtu} octets fit`}`,
      why,
      advice:
        'If it goes on, the sender does not heed it (ICMP dropped on the way, or DF copied): lower the MTU or MSS of the tunnel.',
    });
    return;
  }
  findings.find(at, {
    code: meaning,
    severity: self && gone ? 'notice' : 'problem',
    about: `${from} ${what} ${meaning}`,
    what:
      self && gone
        ? `the host ${from} is up, and nobody there takes ${packet}`
        : `${towards} do not arrive: ${meaning.replace('-', ' ')}`,
    why,
    advice:
      self && gone
        ? meaning === 'port-unreachable'
          ? 'Its IKE daemon is not running, or was restarting at that time.'
          : 'Its kernel has no IPsec for this protocol, or no module for it.'
        : meaning === 'prohibited'
          ? `A firewall at ${from} forbids them.`
          : `Routing beyond ${from}, as seen from there.`,
  });
}
