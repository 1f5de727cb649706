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

interface Said {
  readonly level: keyof typeof levels;
  readonly text: string;
}

const levels = { error: 0, warn: 1, info: 1, debug: 2 } as const;

export class LogLines {
  /** What each of them wants to hear, and whether anything at all. */
  readonly #followers = new Map<(line: LogLine) => void, () => boolean>();

  /** Returns what ends it. @param listens asked before each line */
  follow(follower: (line: LogLine) => void, listens: () => boolean = () => true): () => void {
    this.#followers.set(follower, listens);
    return () => this.#followers.delete(follower);
  }

  event(event: EngineEvent, describe: () => Said): void {
    let line: LogLine | undefined;
    for (const [follower, listens] of this.#followers) {
      if (!listens()) continue;
      line ??= lineOf(event, describe());
      follower(line);
    }
  }
}

function lineOf(event: EngineEvent, { level, text }: Said): LogLine {
  return { group: groupOf(event), level: levels[level], ...about(event), text };
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
