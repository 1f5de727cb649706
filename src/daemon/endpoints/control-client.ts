// The command's end of the control socket.
import { connect } from 'node:net';
import { type ControlAnswer, type ControlRequest, parseControlAnswer } from './control-protocol.ts';
import { ControlSocketError, notPort } from './private-socket.ts';

/**
 * Asks a running daemon.
 * @param signal whoever asks waits no longer
 * @throws ControlSocketError if none answers
 */
export function askDaemon(
  path: string,
  request: ControlRequest,
  signal?: AbortSignal,
): Promise<ControlAnswer> {
  if (path === '') return Promise.reject(new ControlSocketError('the path of the control socket is empty'));
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(notPort(path), () => socket.write(`${JSON.stringify(request)}\n`));
    signal?.addEventListener('abort', () => socket.destroy());
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end < 0) return;
      socket.destroy();
      const answer = parseControlAnswer(text.slice(0, end));
      if (answer === undefined) {
        reject(new ControlSocketError(`what answers at ${path} is no wayward daemon`));
      } else resolve(answer);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EACCES' ? 'permission denied' : 'no daemon answers';
      reject(new ControlSocketError(`${why} at ${path} (${error.code ?? error.message})`));
    });
    socket.on('close', () => reject(new ControlSocketError(`the daemon at ${path} closed the connection`)));
  });
}
