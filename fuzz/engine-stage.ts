// The states of a host that strangers and peers can reach, each made from the recorded messages of one handshake.
import { EngineHost, endpoints, type Method, type Side } from './engine-host.ts';

export interface Stage {
  /** Also the name of its target, behind `engine-`. */
  readonly name: string;
  readonly side: Side;
  readonly method: Method;
  /** How many messages of the handshake the host has got already. */
  readonly received: number;
  /** What the host then begins by itself. */
  readonly begun?: 'rekey-child' | 'rekey-ike' | 'terminate-child' | 'terminate-ike';
}

export const stages: readonly Stage[] = [
  { name: 'fresh', side: 'sun', method: 'psk', received: 0 },
  { name: 'half-open', side: 'sun', method: 'psk', received: 1 },
  { name: 'half-open-certificate', side: 'sun', method: 'pubkey', received: 1 },
  { name: 'established', side: 'sun', method: 'psk', received: 2 },
  { name: 'awaiting-init', side: 'moon', method: 'psk', received: 0 },
  { name: 'awaiting-auth', side: 'moon', method: 'psk', received: 1 },
  { name: 'awaiting-auth-certificate', side: 'moon', method: 'pubkey', received: 1 },
  { name: 'half-open-eap', side: 'sun', method: 'eap', received: 1 },
  { name: 'eap-identity', side: 'sun', method: 'eap', received: 2 },
  { name: 'eap-challenge', side: 'sun', method: 'eap', received: 3 },
  { name: 'eap-confirmation', side: 'sun', method: 'eap', received: 4 },
  { name: 'eap-proof', side: 'sun', method: 'eap', received: 5 },
  { name: 'awaiting-eap', side: 'moon', method: 'eap', received: 1 },
  { name: 'awaiting-eap-challenge', side: 'moon', method: 'eap', received: 2 },
  { name: 'awaiting-eap-confirmation', side: 'moon', method: 'eap', received: 3 },
  { name: 'awaiting-eap-success', side: 'moon', method: 'eap', received: 4 },
  { name: 'awaiting-eap-proof', side: 'moon', method: 'eap', received: 5 },
  { name: 'awaiting-child-rekey', side: 'moon', method: 'psk', received: 2, begun: 'rekey-child' },
  { name: 'awaiting-ike-rekey', side: 'moon', method: 'psk', received: 2, begun: 'rekey-ike' },
  { name: 'awaiting-child-delete', side: 'moon', method: 'psk', received: 2, begun: 'terminate-child' },
  { name: 'awaiting-ike-delete', side: 'moon', method: 'psk', received: 2, begun: 'terminate-ike' },
];

/** The messages of IKE_SA_INIT and IKE_AUTH, by the side that receives them. */
export type Handshake = Readonly<Record<Side, readonly Uint8Array[]>>;

const handshakes = new Map<Method, Handshake>();

function initiate(host: EngineHost): void {
  host.give({ kind: 'command', id: 1, command: { kind: 'initiate', child: 'net' } });
}

/** Lets moon and sun talk once. With the seeds of both the messages are the same every time. */
export function handshake(method: Method): Handshake {
  const known = handshakes.get(method);
  if (known !== undefined) return known;
  const hosts = { moon: new EngineHost('moon', method), sun: new EngineHost('sun', method) };
  const received: Record<Side, Uint8Array[]> = { moon: [], sun: [] };
  initiate(hosts.moon);
  for (let to: Side = 'sun'; ; to = to === 'sun' ? 'moon' : 'sun') {
    const messages = hosts[to === 'sun' ? 'moon' : 'sun'].sent.splice(0);
    if (messages.length === 0) break;
    for (const { octets } of messages) {
      received[to].push(octets);
      deliver(hosts[to], octets);
    }
  }
  const [phase] = hosts.moon.engine.status().ikeSas.map((sa) => sa.phase);
  // RFC 7296 C.3: four exchanges more.
  const count = method === 'eap' ? 6 : 2;
  if (phase !== 'established' || received.sun.length !== count || received.moon.length !== count) {
    throw new Error(`moon and sun are ${phase} after ${received.sun.length} requests`);
  }
  handshakes.set(method, received);
  return received;
}

/** A message of the host's peer, from where the peer is. */
function deliver(host: EngineHost, octets: Uint8Array): void {
  const remote = endpoints[host.side === 'moon' ? 'sun' : 'moon'];
  host.give({ kind: 'datagram', local: endpoints[host.side], remote, octets });
}

/** A host in a stage, and what it wants to send: its request, if it began something. */
export function reach(stage: Stage): EngineHost {
  const host = new EngineHost(stage.side, stage.method);
  if (stage.side === 'moon') initiate(host);
  for (const octets of handshake(stage.method)[stage.side].slice(0, stage.received)) deliver(host, octets);
  host.sent.length = 0;
  switch (stage.begun) {
    case 'rekey-child':
      host.give({ kind: 'command', id: 2, command: { kind: 'rekey', child: 'net' } });
      break;
    case 'rekey-ike':
      host.give({ kind: 'command', id: 2, command: { kind: 'rekey', connection: 'gateway' } });
      break;
    case 'terminate-child':
      host.give({ kind: 'command', id: 2, command: { kind: 'terminate', child: 'net' } });
      break;
    case 'terminate-ike':
      host.give({ kind: 'command', id: 2, command: { kind: 'terminate', connection: 'gateway' } });
      break;
    case undefined:
  }
  return host;
}
