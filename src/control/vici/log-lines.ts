// What happens as lines for people, in charon's groups and levels, to everybody who follows.
import type { EngineEvent } from '#engine';

export interface LogLine {
  readonly group: string;
  /** 0 is for everybody, 1 for operators, 2 for those who look for a fault. */
  readonly level: number;
  readonly connection?: string;
  readonly ikeId?: number;
  readonly text: string;
}

const levels = { error: 0, warn: 1, info: 1, debug: 2 } as const;

export class LogLines {
  readonly #followers = new Set<(line: LogLine) => void>();

  /** Returns what ends it. */
  follow(follower: (line: LogLine) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  event(event: EngineEvent, said: { readonly level: keyof typeof levels; readonly text: string }): void {
    const line: LogLine = {
      group: groupOf(event),
      level: levels[said.level],
      ...about(event),
      text: said.text,
    };
    for (const follower of this.#followers) follower(line);
  }
}

function groupOf(event: EngineEvent): string {
  switch (event.kind) {
    case 'ike':
      return event.event.kind.startsWith('child-') ? 'CHD' : 'IKE';
    case 'child-up':
    case 'child-down':
      return 'CHD';
    case 'datagram-ignored':
    case 'cookie-demanded':
      return 'NET';
    case 'unknown-spi':
      return 'ESP';
    default:
      return 'IKE';
  }
}

function about(event: EngineEvent): Pick<LogLine, 'connection' | 'ikeId'> {
  if ('context' in event) return { connection: event.context.connection.name, ikeId: event.context.ikeId };
  return 'connection' in event ? { connection: event.connection } : {};
}
