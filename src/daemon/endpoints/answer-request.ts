// What is answered on the control socket.
import type { Board } from '#control';
import type { CommandResult, EngineCommand, WhyAnswer } from '#engine';
import type { ControlAnswer, ControlRequest, DaemonStatus } from './control-protocol.ts';
import { hipCommandOf } from './hip-request.ts';

/** The daemon that answers. */
export interface AnsweringDaemon {
  readonly board: Board;
  /** With its token; absent: no page is served on loopback. */
  readonly pageUrl: string | undefined;
  status(): DaemonStatus;
  why(subject: number | 'last'): WhyAnswer;
  /** Why the configuration that it has stays, if it does: everything that is wrong with the other one. */
  reload(): readonly string[];
  /** Waits for routes and scripts, so that traffic can follow the answer at once. */
  carryOut(command: EngineCommand): Promise<CommandResult>;
}

/** For the terminal view, which has no room for more. */
const incidentsTold = 4;
const unknownSpisTold = 32;

export async function answerRequest(
  daemon: AnsweringDaemon,
  request: ControlRequest,
): Promise<ControlAnswer> {
  const carryOut = async (command: EngineCommand): Promise<ControlAnswer & { readonly kind: 'result' }> => ({
    kind: 'result',
    result: await daemon.carryOut(command),
  });
  switch (request.kind) {
    case 'status':
      return { kind: 'status', status: daemon.status() };
    case 'why':
      return { kind: 'why', answer: daemon.why(request.subject) };
    case 'page':
      return daemon.pageUrl === undefined
        ? { kind: 'refused', detail: 'no page is served on loopback: set wayward.http' }
        : { kind: 'page', url: daemon.pageUrl };
    case 'snapshot':
      return {
        kind: 'snapshot',
        snapshot: daemon.board.snapshot(),
        incidents: daemon.board.incidents().slice(0, incidentsTold),
        unknownSpis: daemon.board.unknownSpis().slice(0, unknownSpisTold),
      };
    case 'crash':
      return { kind: 'refused', detail: 'only a demonstration (npm start) crashes when it is asked to' };
    case 'up':
      return carryOut({ kind: 'initiate', child: request.child });
    case 'down': {
      const child = await carryOut({ kind: 'terminate', child: request.name });
      if (child.result.ok || child.result.code !== 'not-found') return child;
      return carryOut({ kind: 'terminate', connection: request.name });
    }
    case 'rekey':
      return carryOut(
        request.ike ? { kind: 'rekey', connection: request.name } : { kind: 'rekey', child: request.name },
      );
    case 'hip':
      return carryOut(hipCommandOf(request.action, request.peer));
    case 'reload': {
      const [first, ...more] = daemon.reload();
      if (first === undefined) return { kind: 'result', result: { ok: true, count: 0 } };
      const others = more.length === 0 ? '' : ` (and ${more.length} more, see the log)`;
      return { kind: 'refused', detail: `${first}${others}; the old configuration stays` };
    }
  }
}
