// Who is measured against whom, and how each is set up.
import type { Peer } from '../harness/peer.ts';
import type { GatewayLines } from './gateway-configuration.ts';

/** One row of the table. */
export interface Contender {
  /** For programs. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Sends the pings, and began the tunnel. */
  readonly survivor: { readonly kind: Peer['kind'] } & GatewayLines;
  /** Is killed and started again. */
  readonly restarted: { readonly kind: Peer['kind'] } & GatewayLines;
  /** Waited for no longer than this. */
  readonly capMs?: number;
  /** Played once: it takes long and says the same each time. */
  readonly once?: boolean;
}

const strongswanTuned: GatewayLines = {
  connection: 'dpd_delay = 1s',
  child: 'dpd_action = restart',
  charon: 'retransmit_timeout = 0.5\n  retransmit_tries = 2',
};
const noTickets = 'resumption = no';
const checkpoint = 'checkpoint {\n    enabled = yes\n  }';

export const contenders: readonly Contender[] = [
  {
    name: 'strongswan-strongswan-defaults',
    title: 'strongSwan survives strongSwan, defaults',
    survivor: { kind: 'strongswan' },
    restarted: { kind: 'strongswan' },
    capMs: 60_000,
    once: true,
  },
  {
    name: 'strongswan-strongswan-tuned',
    title: 'strongSwan survives strongSwan, dpd_delay=1s, retransmit_timeout=0.5, tries=2',
    survivor: { kind: 'strongswan', ...strongswanTuned },
    restarted: { kind: 'strongswan', ...strongswanTuned },
  },
  {
    name: 'wayward-survives-strongswan',
    title: 'wayward survives strongSwan, no DPD on either side',
    survivor: { kind: 'wayward' },
    restarted: { kind: 'strongswan' },
  },
  {
    name: 'strongswan-survives-wayward',
    title: 'strongSwan survives wayward, which calls again',
    survivor: { kind: 'strongswan' },
    restarted: { kind: 'wayward' },
  },
  {
    name: 'strongswan-survives-wayward-checkpoint',
    title: 'strongSwan survives wayward, which goes on from its checkpoint',
    survivor: { kind: 'strongswan' },
    restarted: { kind: 'wayward', recordKey: true, wayward: checkpoint },
  },
  {
    name: 'wayward-wayward-silent',
    title: 'wayward survives wayward that answers nothing and cannot call: liveness alone',
    survivor: { kind: 'wayward', connection: noTickets },
    restarted: {
      kind: 'wayward',
      cannotCall: true,
      connection: noTickets,
      wayward: 'unknown_spi = silent\n  quick_crash_detection = no',
    },
  },
  {
    name: 'wayward-wayward-qcd',
    title: 'wayward survives wayward that cannot call: QCD token',
    survivor: { kind: 'wayward', connection: noTickets },
    restarted: { kind: 'wayward', cannotCall: true, connection: noTickets },
  },
  {
    name: 'wayward-wayward-qcd-resumption',
    title: 'wayward survives wayward that cannot call: QCD token, then resumption',
    survivor: { kind: 'wayward' },
    restarted: { kind: 'wayward', cannotCall: true, recordKey: true },
  },
  {
    name: 'wayward-wayward-call',
    title: 'wayward survives wayward, which calls again',
    survivor: { kind: 'wayward' },
    restarted: { kind: 'wayward' },
  },
  {
    name: 'wayward-wayward-checkpoint',
    title: 'wayward survives wayward, which goes on from its checkpoint',
    survivor: { kind: 'wayward' },
    restarted: { kind: 'wayward', recordKey: true, wayward: checkpoint },
  },
];
