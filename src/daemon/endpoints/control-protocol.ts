// What `wayward up`, `down` and `status` say to a running daemon: one JSON object per line, one answer each.
import type { Incident, Snapshot, UnknownSpi } from '#control';
import type { CommandResult, EngineStatus, WhyAnswer } from '#engine';
import type { SaReport } from '#linux';
import type { SpiOwnersStatus } from '../owners/spi-owners.ts';

export type ControlRequest =
  | { readonly kind: 'up'; readonly child: string }
  | { readonly kind: 'down'; readonly name: string }
  | { readonly kind: 'rekey'; readonly name: string; readonly ike: boolean }
  /** What `wayward hip` asks for: an association with a peer, or something of one. `peer` is a name or a HIT. */
  | { readonly kind: 'hip'; readonly action: HipAction; readonly peer: string }
  | { readonly kind: 'reload' }
  | { readonly kind: 'status' }
  /** What operators see, for the terminal view. */
  | { readonly kind: 'snapshot' }
  /** Where the page is, with its token. */
  | { readonly kind: 'page' }
  /** Kills a gateway of the demonstration with SIGKILL. A daemon refuses. */
  | { readonly kind: 'crash'; readonly side: 'left' | 'right' }
  /** About an SPI of ESP or AH, or the last incident. */
  | { readonly kind: 'why'; readonly subject: number | 'last' };

export type HipAction = 'up' | 'down' | 'rekey' | 'check';

/** A host as `wayward status` shows it. */
export interface DaemonStatus {
  readonly version: string;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly engine: EngineStatus;
  /** Latest counters of each SA. */
  readonly counters: readonly SaReport[];
  /** Every packet that was read, by what became of it, and those that found no room in a socket. */
  readonly verdicts: Readonly<Record<string, number>>;
  readonly memory: {
    readonly residentBytes: number;
    /** Of JavaScript objects. */
    readonly heapBytes: number;
    readonly packetThreadHeapBytes?: number;
  };
  readonly owners?: SpiOwnersStatus;
  readonly tunName?: string;
}

export type ControlAnswer =
  | { readonly kind: 'result'; readonly result: CommandResult }
  | { readonly kind: 'status'; readonly status: DaemonStatus }
  | { readonly kind: 'why'; readonly answer: WhyAnswer }
  | {
      readonly kind: 'snapshot';
      readonly snapshot: Snapshot;
      readonly incidents: readonly Incident[];
      readonly unknownSpis: readonly UnknownSpi[];
    }
  | { readonly kind: 'page'; readonly url: string }
  | { readonly kind: 'refused'; readonly detail: string };

/** A line -> a request, or why it is none. */
export function parseControlRequest(line: string): ControlRequest | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'not JSON';
  }
  if (typeof value !== 'object' || value === null || !('kind' in value))
    return 'a request is an object with a kind';
  const text = (name: string): string | undefined => {
    const field = (value as Record<string, unknown>)[name];
    return typeof field === 'string' && field.length > 0 && field.length <= 255 ? field : undefined;
  };
  switch (value.kind) {
    case 'up': {
      const child = text('child');
      return child === undefined ? 'up needs child' : { kind: 'up', child };
    }
    case 'down': {
      const name = text('name');
      return name === undefined ? 'down needs name' : { kind: 'down', name };
    }
    case 'rekey': {
      const name = text('name');
      const ike = (value as Record<string, unknown>)['ike'] === true;
      return name === undefined ? 'rekey needs name' : { kind: 'rekey', name, ike };
    }
    case 'hip': {
      const peer = text('peer');
      const action = hipActions.find((one) => one === text('action'));
      if (action === undefined) return 'hip needs action: up, down, rekey or check';
      return peer === undefined ? 'hip needs peer' : { kind: 'hip', action, peer };
    }
    case 'reload':
      return { kind: 'reload' };
    case 'status':
    case 'snapshot':
    case 'page':
      return { kind: value.kind };
    case 'crash': {
      const side = text('side');
      return side === 'left' || side === 'right'
        ? { kind: 'crash', side }
        : 'crash needs side: left or right';
    }
    case 'why': {
      const { subject } = value as { readonly subject?: unknown };
      if (subject === 'last') return { kind: 'why', subject };
      return Number.isInteger(subject) && (subject as number) >= 0 && (subject as number) <= 0xffff_ffff
        ? { kind: 'why', subject: subject as number }
        : 'why needs subject: an SPI or last';
    }
    default:
      return `unknown request ${JSON.stringify(value.kind)}`;
  }
}

const hipActions: readonly HipAction[] = ['up', 'down', 'rekey', 'check'];

/** A line -> an answer; `undefined` if no daemon of ours says that. Daemon and command are of one package. */
export function parseControlAnswer(line: string): ControlAnswer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
  return answerKinds.includes(value.kind) ? (value as ControlAnswer) : undefined;
}

const answerKinds: readonly unknown[] = [
  'result',
  'status',
  'why',
  'snapshot',
  'page',
  'refused',
] satisfies ControlAnswer['kind'][];
