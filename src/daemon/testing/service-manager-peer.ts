// systemd's end of the notifications, which closes the descriptors that come with them.
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** The machine may be busy with other tests. */
const patienceMs = 60_000;
/** How long a barrier stays open. */
export const barrierMs = 100;

/** socat would leave the descriptors open. */
const listener = `
import os, socket, sys, time
name = sys.argv[1]
own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
own.bind(chr(0) + name[1:] if name.startswith('@') else name)
out = sys.stdout.buffer
out.write(b'listening\\n')
out.flush()
while True:
    octets, descriptors, _, _ = socket.recv_fds(own, 65536, 16)
    # Datagrams end without a mark.
    out.write(octets + b'\\n')
    out.flush()
    if octets.startswith(b'BARRIER'):
        time.sleep(${barrierMs / 1_000})
    for descriptor in descriptors:
        os.close(descriptor)
`;

/** Everything that is sent to a socket, as text. */
export class NotificationSocket {
  readonly #process: ChildProcess;
  text = '';

  /** @param name a path, or `@` and an abstract name */
  private constructor(name: string) {
    this.#process = spawn('/usr/bin/python3', ['-c', listener, name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
    });
  }

  static async listen(name: string): Promise<NotificationSocket> {
    const socket = new NotificationSocket(name);
    await socket.heard(/^listening\n/);
    socket.text = '';
    return socket;
  }

  /** @throws Error with what came, if it does not come */
  async heard(expected: RegExp): Promise<RegExpExecArray> {
    for (const until = performance.now() + patienceMs; ; await sleep(20)) {
      const match = expected.exec(this.text);
      if (match !== null) return match;
      if (performance.now() > until) throw new Error(`not heard: ${expected} in\n${this.text}`);
    }
  }

  close(): void {
    this.#process.kill('SIGKILL');
  }
}
