// systemd's end of the notifications: socat on a local datagram socket.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Everything that is sent to a socket, as text. */
export class NotificationSocket {
  readonly #process: ChildProcess;
  text = '';

  /** @param name a path, or `@` and an abstract name */
  constructor(name: string) {
    const address = name.startsWith('@') ? `ABSTRACT-RECV:${name.slice(1)}` : `UNIX-RECV:${name}`;
    this.#process = spawn('socat', ['-u', address, '-'], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      // Datagrams end without a mark, and some come together.
      this.text += `${text}\n`;
    });
  }

  static async listen(name: string): Promise<NotificationSocket> {
    const socket = new NotificationSocket(name);
    for (let i = 0; i < 200; i++) {
      if (name.startsWith('@') ? i > 20 : existsSync(name)) return socket;
      await sleep(25);
    }
    throw new Error(`socat does not listen at ${name}`);
  }

  /** @throws Error with what came, if it does not come */
  async heard(expected: RegExp, timeoutMs = 20_000): Promise<RegExpExecArray> {
    for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += 20) {
      const match = expected.exec(this.text);
      if (match !== null) return match;
      await sleep(20);
    }
    throw new Error(`not heard: ${expected} in\n${this.text}`);
  }

  close(): void {
    this.#process.kill('SIGKILL');
  }
}
