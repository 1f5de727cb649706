// HIP associations in `wayward status`: state, both HITs, SPIs, suite and round trip.
import type { DaemonStatus } from '#daemon';
import { formatEndpoint, formatSpi, formatSuite, hitAddress } from '#sa';
import { registrationFailureName } from '#wire';
import { saCounterText } from './sa-counter-text.ts';

type HipAssociation = DaemonStatus['engine']['hip'][number];

export function hipText(association: HipAssociation, status: DaemonStatus): string[] {
  const { peer, local, remote, path, state, attempt, suite, rttMs } = association;
  const again = attempt === undefined ? '' : `, called anew (${attempt})`;
  const carried = path.remote.port === 0 ? '' : ' in UDP';
  const lines = [
    `hip ${peer ?? hitAddress(remote)}: ${state}${again}`,
    `  local  ${hitAddress(local)} @ ${place(path.local)}`,
    `  remote ${hitAddress(remote)} @ ${place(path.remote)}${carried}`,
  ];
  if (suite !== undefined) {
    const rtt = rttMs === undefined ? '' : `, round trip ${Math.round(rttMs)} ms`;
    lines.push(`  ${formatSuite(suite)}${rtt}`);
  }
  lines.push(...locatorLines(association, status));
  lines.push(...registrationLines(association, status));
  for (const [direction, spi] of [
    ['in ', association.inboundSpi],
    ['out', association.outboundSpi],
  ] as const) {
    if (spi !== undefined)
      lines.push(`    ${direction} ${formatSpi(spi)}, ${saCounterText(status, spi, direction)}`);
  }
  return lines;
}

/** Where else the peer says it is, with the one in use. */
function locatorLines({ locators = [] }: HipAssociation, { engine }: DaemonStatus): string[] {
  return locators.map(({ address, state, preferred, until }) => {
    const wanted = preferred ? ', preferred' : '';
    const rest = until === undefined ? '' : `, for ${Math.max(0, Math.round((until - engine.at) / 1_000))} s`;
    return `    at ${address}: ${state}${wanted}${rest}`;
  });
}

/** Who is whose client, and for how long yet. */
function registrationLines({ client, registration }: HipAssociation, { engine }: DaemonStatus): string[] {
  const rest = (until: number): string => `${Math.max(0, Math.round((until - engine.at) / 1_000))} s`;
  const lines = client === undefined ? [] : [`  is our client for rendezvous, for ${rest(client.until)}`];
  if (registration === undefined) return lines;
  const { state, until, failure } = registration;
  const said = {
    asked: 'is asked to be our rendezvous server',
    registered: `is our rendezvous server, for ${until === undefined ? '?' : rest(until)}`,
    refused: `is not our rendezvous server: ${failure === undefined ? 'refused' : registrationFailureName(failure)}`,
    unavailable: 'is no rendezvous server at the moment',
  };
  return [...lines, `  ${said[state]}`];
}

/** Right in IP there is no port. */
function place({ address, port }: HipAssociation['path']['local']): string {
  return port === 0 ? address : formatEndpoint({ address, port });
}
