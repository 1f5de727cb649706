// Who is kept from trying secrets as fast as he would, for people.
import { formatEndpoint } from '#sa';
import type { EngineEvent } from '../interface.ts';

const whoseTries = {
  'user-and-source': 'from where it is',
  source: 'for many from where it is',
  user: 'from many places',
} as const;

export function guessBrakedText(event: Extract<EngineEvent, { readonly kind: 'guess-braked' }>): string {
  const { connection, outcome, by, secret, user, remote } = event;
  const what = outcome === 'delayed' ? 'has to wait to be heard' : 'is not heard';
  const wrong = secret === 'password' ? 'passwords' : 'pre-shared keys';
  const who = `${connection}: ${formatEndpoint(remote)}, who says to be ${user},`;
  return `${who} ${what}: too many wrong ${wrong} came ${whoseTries[by]}`;
}
