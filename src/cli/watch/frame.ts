// One picture of a host for a terminal: tunnels with their rates, the ladder of an incident, the last verdicts.
import type {
  Association,
  Flow,
  HostSnapshot,
  Incident,
  IncidentEntry,
  Snapshot,
  Tunnel,
  UnknownSpi,
} from '#control';
import { age, span as duration, rate } from './numbers.ts';
import { cell, type Line, type Style, span } from './styled.ts';

export interface Seen {
  readonly snapshot: Snapshot;
  /** The newest first. */
  readonly incidents: readonly Incident[];
  readonly unknownSpis: readonly UnknownSpi[];
}

export interface View {
  readonly columns: number;
  readonly rows: number;
  /** How many tunnels are above the first one shown. */
  readonly scroll: number;
  /** Which incident is shown: 0 is the newest. */
  readonly incident: number;
  readonly paused: boolean;
}

const states: Readonly<Record<Incident['state'], readonly [string, Style]>> = {
  open: ['recovering', 'warn'],
  'traffic-back': ['traffic is back', 'good'],
  'sa-stands': ['SA stands again', 'good'],
  'child-replaced': ['Child SA replaced', 'good'],
  'peer-alive': ['nothing was lost', 'accent'],
  'given-up': ['given up', 'bad'],
  faded: ['faded away', 'dim'],
};

/** @param problem why nothing newer is known */
export function frame(seen: Seen | undefined, problem: string | undefined, view: View): readonly Line[] {
  const host = seen?.snapshot.hosts[0];
  const keys = keysLine(view);
  if (seen === undefined || host === undefined) {
    const said = problem === undefined ? 'asking the daemon' : problem;
    return filled(
      [[span('wayward watch', 'bold')], [], [span(said, problem === undefined ? 'dim' : 'bad')]],
      keys,
      view,
    );
  }
  const chosen = seen.incidents[Math.min(view.incident, seen.incidents.length - 1)];
  const tunnels = tunnelLines(host, view);
  const incident = incidentLines(chosen, seen, view);
  const verdicts = verdictLines(seen.unknownSpis, view);
  const room = view.rows - 2;
  const [forTunnels = 0, forIncident = 0, forVerdicts = 0] = share(
    [tunnels.length, incident.length, verdicts.length],
    room - 2,
  );
  const lines = [
    headLine(host, problem, view),
    ...tunnels.slice(0, forTunnels),
    [],
    // What began an incident and how it goes on both matter: its head, and then its end.
    ...headAndTail(incident, forIncident),
    [],
    ...verdicts.slice(0, forVerdicts),
  ];
  return filled(lines, keys, view);
}

/** Everybody gets what he wants, or an equal part of what is left. */
export function share(wants: readonly number[], room: number): number[] {
  const given = wants.map(() => 0);
  let left = room;
  for (let open = wants.length; left > 0 && open > 0; ) {
    open = 0;
    for (const [i, want] of wants.entries()) {
      if (left === 0 || given[i]! >= want) continue;
      given[i]!++;
      left--;
      open++;
    }
  }
  return given;
}

function headAndTail(lines: readonly Line[], room: number): readonly Line[] {
  if (lines.length <= room) return lines;
  if (room < 4) return lines.slice(0, room);
  return [...lines.slice(0, 2), ...lines.slice(lines.length - (room - 2))];
}

function filled(lines: readonly Line[], keys: Line, { rows }: View): readonly Line[] {
  const body = lines.slice(0, rows - 1);
  while (body.length < rows - 1) body.push([]);
  return [...body, keys];
}

function headLine(host: HostSnapshot, problem: string | undefined, { columns, paused }: View): Line {
  const name = host.name === '' ? '' : ` ${host.name}`;
  const about = `${name} ${host.version}, process ${host.pid}, up ${age(host.atMs - host.startedAtMs)}, start ${host.bootEpoch}, ${host.policy}`;
  const right = problem ?? (paused ? 'paused' : new Date(host.atMs).toISOString().slice(11, 19));
  return [
    span('wayward', 'bold'),
    span(cell(about, Math.max(0, columns - 8 - right.length))),
    span(` ${right}`, problem === undefined ? (paused ? 'warn' : 'dim') : 'bad'),
  ];
}

function tunnelLines(host: HostSnapshot, { columns, scroll }: View): readonly Line[] {
  const { tunnels, tunnelCount, connecting } = host;
  // Rates and SPIs have fixed widths; names share the rest.
  const names = Math.max(12, columns - 54);
  const head = `${cell(`TUNNELS ${tunnelCount}`, names)} ${cell('IN', 12, 'right')} ${cell('OUT', 12, 'right')}  ${cell('SPI IN', 8)} ${cell('SPI OUT', 8)} KEYS`;
  const shown = tunnels.slice(Math.min(scroll, Math.max(0, tunnels.length - 1)));
  const lines: Line[] = [[span(cell(head, columns), 'dim')]];
  for (const { connection, phase, failures } of connecting) {
    const tries = failures === 0 ? '' : `, ${failures} tries failed`;
    lines.push([span(`${connection} is ${phase}${tries}`, 'warn')]);
  }
  const nothing = [tunnels, connecting, host.associations].every(({ length }) => length === 0);
  if (nothing) lines.push([span('no tunnel stands', 'dim')]);
  lines.push(...shown.map((tunnel) => tunnelLine(tunnel, names)));
  lines.push(...host.associations.map((association) => associationLine(association, names)));
  return lines;
}

function tunnelLine(tunnel: Tunnel, names: number): Line {
  const { connection, child, remote, inbound, outbound } = tunnel;
  const name = connection === child ? child : `${connection}/${child}`;
  return [
    span(cell(`${name} ${remote.join(' ')}`, names)),
    span(` ${cell(rate(inbound.bytesPerSecond), 12, 'right')}`, moving(inbound)),
    span(` ${cell(rate(outbound.bytesPerSecond), 12, 'right')}`, moving(outbound)),
    span(`  ${tunnel.inboundSpi} ${tunnel.outboundSpi} `, 'dim'),
    span(age(tunnel.installedMsAgo)),
  ];
}

/** A HIP association has SAs while it stands, and a state at all times. */
function associationLine(association: Association, names: number): Line {
  const { peer, remoteHit, state, inbound, outbound, inboundSpi, outboundSpi } = association;
  const name = `hip ${peer ?? remoteHit}`;
  if (inbound === undefined || outbound === undefined) return [span(`${name} is ${state}`, 'warn')];
  return [
    span(cell(`${name} ${association.remote}`, names)),
    span(` ${cell(rate(inbound.bytesPerSecond), 12, 'right')}`, moving(inbound)),
    span(` ${cell(rate(outbound.bytesPerSecond), 12, 'right')}`, moving(outbound)),
    span(`  ${inboundSpi ?? ''} ${outboundSpi ?? ''} `, 'dim'),
    span(association.attempt ?? ''),
  ];
}

const moving = ({ bytesPerSecond }: Flow): Style => (bytesPerSecond > 0 ? 'good' : 'dim');

function incidentLines(incident: Incident | undefined, seen: Seen, view: View): readonly Line[] {
  if (incident === undefined) return [[span('INCIDENTS', 'dim')], [span('nobody has lost anything', 'dim')]];
  const { startedAtMs, endedAtMs = seen.snapshot.atMs, rttMs, exchanges } = incident;
  const [said, style] = states[incident.state];
  const number = Math.min(view.incident, seen.incidents.length - 1) + 1;
  return [
    [
      span(`INCIDENT ${incident.id}`, 'dim'),
      span(` ${incident.connection} `),
      span(said, style),
      span(`, ${duration(endedAtMs - startedAtMs)}`),
      span(rttMs === undefined ? '' : `, RTT ${duration(rttMs)}`),
      span(`, ${exchanges} exchanges`),
      span(seen.incidents.length > 1 ? `  ${number} of ${seen.incidents.length}` : '', 'dim'),
    ],
    ...incident.entries.map(entryLine),
  ];
}

const styles: Readonly<Record<IncidentEntry['kind'], Style | undefined>> = {
  evidence: 'bad',
  verdict: 'accent',
  hint: 'warn',
  rung: 'bold',
  message: undefined,
  change: 'good',
};

function entryLine({ afterMs, count, kind, direction, title, detail }: IncidentEntry): Line {
  const arrow = direction === undefined ? '·' : direction === 'in' ? '←' : '→';
  const times = count > 1 ? ` (${count} times)` : '';
  const more = kind === 'message' || detail === undefined ? '' : `  ${detail}`;
  return [
    span(`${cell(duration(afterMs), 11, 'right')} `, 'dim'),
    span(`${arrow} `),
    span(title, styles[kind]),
    span(`${more}${times}`, 'dim'),
  ];
}

function verdictLines(rows: readonly UnknownSpi[], { columns }: View): readonly Line[] {
  if (rows.length === 0)
    return [[span('UNKNOWN SPIS', 'dim')], [span('every packet lately belonged to an SA', 'dim')]];
  const names = Math.max(10, columns - 60);
  const head = `${cell('UNKNOWN SPIS', 21)} ${cell('FROM', 21)} ${cell('WHOSE', names)} VERDICT`;
  return [[span(cell(head, columns), 'dim')], ...rows.map((row) => verdictLine(row, names))];
}

function verdictLine(row: UnknownSpi, names: number): Line {
  const { protocol, spi, remote, owner, verdict, outcome, count, lastAtMs } = row;
  const time = new Date(lastAtMs).toISOString().slice(11, 19);
  const whose = owner === undefined ? '-' : `${owner.connection}/${owner.child}`;
  const times = count > 1 ? ` ×${count}` : '';
  return [
    span(`${time} `, 'dim'),
    span(`${cell(`${protocol} ${spi.slice(0, 8)}`, 12)} ${cell(remote, 21)} ${cell(whose, names)} `),
    span(outcome === 'nothing-to-send' ? verdict : outcome, outcome.startsWith('sent') ? 'good' : 'dim'),
    span(times, 'dim'),
  ];
}

function keysLine({ paused }: View): Line {
  const keys = [
    ['q', 'quit'],
    ['↑↓', 'tunnels'],
    ['←→', 'incidents'],
    ['p', paused ? 'go on' : 'pause'],
  ];
  return keys.flatMap(([key, what]) => [span(` ${key} `, 'reverse'), span(` ${what}  `)]);
}
