// `wayward watch`: asks the daemon twice a second and shows what it says, until q.
import { askDaemon, ControlSocketError, ExitStatus } from '#daemon';
import { frame, type Seen, type View } from './frame.ts';
import { type Key, keysOf } from './keys.ts';
import { printed } from './styled.ts';

export interface WatchOptions {
  readonly socketPath: string;
  /** One picture, and no more. So it is, too, where there is no terminal. */
  readonly once: boolean;
  readonly err: (line: string) => void;
}

const intervalMs = 500;
/** Where nobody says how large the picture is. */
const plainColumns = 110;
const plainRows = 60;

const enter = '\u001b[?1049h\u001b[?25l\u001b[2J';
const leave = '\u001b[?25h\u001b[?1049l';

async function look(socketPath: string, signal?: AbortSignal): Promise<Seen> {
  const answer = await askDaemon(socketPath, { kind: 'snapshot' }, signal);
  if (answer.kind !== 'snapshot') throw new ControlSocketError('what answers cannot be watched');
  return answer;
}

function colourWanted(): boolean {
  return process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
}

/** @returns the exit status */
export async function watch(options: WatchOptions): Promise<number> {
  if (options.once || !process.stdout.isTTY || !process.stdin.isTTY) return watchOnce(options);
  return new TerminalView(options.socketPath).run();
}

async function watchOnce({ socketPath, err }: WatchOptions): Promise<number> {
  let seen: Seen;
  try {
    seen = await look(socketPath);
  } catch (error) {
    if (!(error instanceof ControlSocketError)) throw error;
    err(error.message);
    return ExitStatus.failed;
  }
  const columns = process.stdout.columns ?? plainColumns;
  const view = { columns, rows: plainRows, scroll: 0, incident: 0, paused: false };
  const lines = frame(seen, undefined, view)
    // Nobody presses keys here, and nothing has to be filled.
    .slice(0, -1)
    .map((line) => printed(line, columns, colourWanted()));
  process.stdout.write(`${lines.join('\n').trimEnd()}\n`);
  return ExitStatus.ok;
}

/** As SIGHUP ends any program: an orderly end of Node puts its terminal back first, and crashes where that is gone. */
function endWithTerminal(): void {
  const { stdin, stdout } = process;
  stdin.off('error', endWithTerminal).on('error', () => undefined);
  // If it is still there, and somebody has only sent the signal.
  stdin.setRawMode(false);
  stdout.write(leave);
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

class TerminalView {
  readonly #socketPath: string;
  #view: View = { columns: 80, rows: 24, scroll: 0, incident: 0, paused: false };
  #seen: Seen | undefined;
  #problem: string | undefined;
  #shown: readonly string[] = [];
  /** What is asked of the daemon now. */
  #asking = new AbortController();

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async run(): Promise<number> {
    const { stdin, stdout } = process;
    let timer: NodeJS.Timeout | undefined;
    let ended = false;
    const read = (data: string): void => {
      for (const key of keysOf(data)) this.#press(key, quit);
      this.#draw();
    };
    let quit = (): void => undefined;
    const resize = (): void => {
      this.#shown = [];
      stdout.write('\u001b[2J');
      this.#draw();
    };
    // What comes from a terminal that has gone: its end, or an error.
    stdin.on('end', endWithTerminal).on('error', endWithTerminal);
    process.once('SIGHUP', endWithTerminal);
    try {
      stdin.setRawMode(true).setEncoding('utf8').on('data', read);
      stdout.on('resize', resize);
      stdout.write(enter);
      await new Promise<void>((resolve) => {
        quit = resolve;
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
        const turn = async (): Promise<void> => {
          if (!this.#view.paused) await this.#look();
          if (ended) return;
          this.#draw();
          timer = setTimeout(() => void turn(), intervalMs);
        };
        void turn();
      });
    } finally {
      ended = true;
      clearTimeout(timer);
      this.#asking.abort();
      stdout.off('resize', resize);
      stdin.off('data', read).setRawMode(false).pause();
      stdin.off('end', endWithTerminal);
      process.off('SIGHUP', endWithTerminal);
      stdout.write(leave);
    }
    return ExitStatus.ok;
  }

  async #look(): Promise<void> {
    this.#asking = new AbortController();
    try {
      this.#seen = await look(this.#socketPath, this.#asking.signal);
      this.#problem = undefined;
    } catch (error) {
      if (!(error instanceof ControlSocketError)) throw error;
      this.#problem = error.message;
    }
  }

  #press(key: Key, quit: () => void): void {
    const { scroll, incident, rows, paused } = this.#view;
    const tunnels = this.#seen?.snapshot.hosts[0]?.tunnels.length ?? 0;
    const incidents = this.#seen?.incidents.length ?? 0;
    const scrolled = (by: number): number => Math.max(0, Math.min(tunnels - 1, scroll + by));
    switch (key) {
      case 'quit':
        quit();
        break;
      case 'up':
      case 'down':
        this.#view = { ...this.#view, scroll: scrolled(key === 'up' ? -1 : 1) };
        break;
      case 'page-up':
      case 'page-down':
        this.#view = {
          ...this.#view,
          scroll: scrolled(Math.floor(key === 'page-up' ? -rows / 3 : rows / 3)),
        };
        break;
      case 'left':
        this.#view = { ...this.#view, incident: Math.max(0, incident - 1) };
        break;
      case 'right':
        this.#view = { ...this.#view, incident: Math.max(0, Math.min(incidents - 1, incident + 1)) };
        break;
      case 'pause':
        this.#view = { ...this.#view, paused: !paused };
        break;
    }
  }

  /** Only lines that have changed are written. */
  #draw(): void {
    const { columns = 80, rows = 24 } = process.stdout;
    this.#view = { ...this.#view, columns, rows };
    const colour = colourWanted();
    const lines = frame(this.#seen, this.#problem, this.#view).map((line) => printed(line, columns, colour));
    let out = '';
    for (const [row, line] of lines.entries()) {
      if (line !== this.#shown[row]) out += `\u001b[${row + 1};1H${line}\u001b[K`;
    }
    this.#shown = lines;
    if (out !== '') process.stdout.write(out);
  }
}
