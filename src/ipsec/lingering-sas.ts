// Inbound SAs that are to be removed, but not yet: packets that their peer sent before it changed over are still on their way.
import type { SaCommand, SaProtocol } from '#sa';

export type RemoveCommand = Extract<SaCommand, { kind: 'remove' }>;

interface Lingering {
  /** What is to be done then, at once. */
  readonly command: RemoveCommand;
  readonly until: number;
}

/** Times are monotonic milliseconds. */
export class LingeringSas {
  #all: Lingering[] = [];

  /** Puts a removal off. Returns whether there is anything to wait for: otherwise it is for now. */
  postpone({ lingerMs, ...command }: RemoveCommand, at: number): boolean {
    if (command.direction === 'outbound' || lingerMs === undefined || lingerMs <= 0) return false;
    this.#all.push({ command, until: at + lingerMs });
    return true;
  }

  /** The removal of this inbound SA, if it was put off; it is not any more. */
  take(protocol: SaProtocol, spi: number): RemoveCommand | undefined {
    const found = this.#all.find(({ command }) => command.protocol === protocol && command.spi === spi);
    if (found === undefined) return undefined;
    this.#all = this.#all.filter((one) => one !== found);
    return found.command;
  }

  takeDue(at: number): readonly RemoveCommand[] {
    if (at < this.deadline()) return [];
    const due = this.#all.filter(({ until }) => until <= at);
    this.#all = this.#all.filter(({ until }) => until > at);
    return due.map(({ command }) => command);
  }

  /** Infinity if none is left. */
  deadline(): number {
    return this.#all.reduce((earliest, { until }) => Math.min(earliest, until), Number.POSITIVE_INFINITY);
  }
}
