// What a simulation tells its observers, in the order in which it happens.
import type { EngineOutput } from '#engine';
import type { SaCommand, SaResult } from '#sa';
import type { LabHost } from './host.ts';
import type { Datagram } from './network/datagram.ts';
import type { Action, AttackKind, FlowScenario } from './scenario.ts';

/** What may befall a datagram or a host. */
export type FaultKind =
  | 'loss'
  | 'duplication'
  | 'reordering'
  | 'corruption'
  | 'partition'
  | 'nat-drop'
  | 'nat-rebinding'
  | 'move'
  | 'source-gone'
  | 'crash'
  | 'pause'
  | 'install-refused'
  | 'lookup-failed'
  | `attack: ${AttackKind}`;

export type LabEvent =
  /** A host puts a datagram on the network; nothing has befallen it yet. */
  | { readonly kind: 'sent'; readonly at: number; readonly host: string; readonly datagram: Datagram }
  | { readonly kind: 'fault'; readonly at: number; readonly fault: FaultKind; readonly subject: string }
  /** Between these two, the host deals with the datagram and with nothing else. */
  | { readonly kind: 'arriving'; readonly at: number; readonly host: string; readonly datagram: Datagram }
  | { readonly kind: 'arrived'; readonly at: number; readonly host: string; readonly datagram: Datagram }
  | { readonly kind: 'engine'; readonly at: number; readonly host: string; readonly output: EngineOutput }
  /** The key octets of `command` are gone once this event is over. */
  | {
      readonly kind: 'sa-command';
      readonly at: number;
      readonly host: string;
      readonly incarnation: number;
      readonly command: SaCommand;
    }
  | {
      readonly kind: 'sa-result';
      readonly at: number;
      readonly host: string;
      readonly command: SaCommand;
      readonly result: SaResult;
    }
  /** A flow gives its host a packet. */
  | {
      readonly kind: 'packet-sent';
      readonly at: number;
      readonly flow: FlowScenario;
      readonly flowIndex: number;
      readonly sequence: number;
    }
  /** A packet for the protected side of a host. */
  | { readonly kind: 'delivered'; readonly at: number; readonly host: string; readonly packet: Uint8Array }
  /** A packet leaves a host without protection. */
  | { readonly kind: 'bypassed'; readonly at: number; readonly host: string; readonly packet: Uint8Array }
  | { readonly kind: 'up' | 'down'; readonly at: number; readonly host: string; readonly incarnation: number }
  | { readonly kind: 'action'; readonly at: number; readonly action: Action }
  /** A host has done everything that an input made it do. `keying`: its engine was involved. */
  | { readonly kind: 'settled'; readonly at: number; readonly host: LabHost; readonly keying: boolean };

/** Watches a simulation. What it throws ends the simulation. */
export interface Observer {
  observe(event: LabEvent): void;
}
