// Four numbers that say whether all is well.
import type { ComponentChildren } from 'preact';
import type { HostSnapshot, Incident, UnknownSpi } from '../../../src/control/api/index.ts';
import { bitRate, count, duration } from '../format.ts';
import { mostInteresting } from '../incident-choice.ts';

function Tile(props: { label: string; value: ComponentChildren; note: ComponentChildren; tone?: string }) {
  return (
    <div class={`tile ${props.tone ?? ''}`}>
      <dt>{props.label}</dt>
      <dd>
        <strong>{props.value}</strong>
        <span>{props.note}</span>
      </dd>
    </div>
  );
}

function rateOf(
  hosts: readonly HostSnapshot[],
  field: 'inboundBytesPerSecond' | 'outboundBytesPerSecond',
): number {
  return hosts
    .filter(({ state }) => state === 'running')
    .reduce((sum, { traffic }) => sum + (traffic[field].at(-1) ?? 0), 0);
}

function recovery(incidents: readonly Incident[]): { value: string; note: string; tone: string } {
  const open = incidents.filter(({ state }) => state === 'open');
  const [first] = open;
  if (first !== undefined) {
    const more = open.length > 1 ? `, ${open.length - 1} more` : '';
    return {
      value: 'Recovering',
      note: `${first.connection} on ${first.host || 'this host'}${more}`,
      tone: 'warn',
    };
  }
  const last = mostInteresting(incidents);
  if (last?.state === 'traffic-back' && last.endedAtMs !== undefined) {
    const took = duration(last.endedAtMs - last.startedAtMs);
    return { value: took, note: `last recovery: ${last.connection}, by ${last.rung}`, tone: 'good' };
  }
  return { value: 'None', note: 'no tunnel was lost', tone: '' };
}

/** Why there could be more tunnels. */
function wanting(hosts: readonly HostSnapshot[]): string | undefined {
  const down = hosts.filter(({ state }) => state === 'down').map(({ name }) => name);
  if (down.length > 0) return `${down.join(' and ')} down`;
  const connecting = hosts.reduce((all, host) => all + host.connecting.length, 0);
  return connecting > 0 ? `${connecting} connecting` : undefined;
}

export function Summary(props: {
  hosts: readonly HostSnapshot[];
  incidents: readonly Incident[];
  unknownSpis: readonly UnknownSpi[];
}) {
  const { hosts, incidents, unknownSpis } = props;
  const sum = (of: (host: HostSnapshot) => number): number => hosts.reduce((all, host) => all + of(host), 0);
  const tunnels = sum((host) => (host.state === 'running' ? host.tunnelCount : 0));
  const strays = unknownSpis.reduce((all, row) => all + row.count, 0);
  const answered = unknownSpis.filter(({ outcome }) => outcome.startsWith('sent')).length;
  const { value, note, tone } = recovery(incidents);
  return (
    <dl class="tiles">
      <Tile
        label="Tunnels"
        value={count(tunnels)}
        note={wanting(hosts) ?? 'all that are wanted stand'}
        tone={wanting(hosts) === undefined ? '' : 'warn'}
      />
      <Tile
        label="Received"
        value={bitRate(rateOf(hosts, 'inboundBytesPerSecond'))}
        note={`sent ${bitRate(rateOf(hosts, 'outboundBytesPerSecond'))}`}
      />
      <Tile
        label="Unknown SPIs"
        value={count(strays)}
        note={
          strays === 0
            ? 'no stray packet lately'
            : `${unknownSpis.length} ${unknownSpis.length === 1 ? 'kind' : 'kinds'}, ${answered} answered`
        }
      />
      <Tile label="Recovery" value={value} note={note} tone={tone} />
    </dl>
  );
}
