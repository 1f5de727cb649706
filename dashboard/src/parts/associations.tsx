// HIP associations: whose HIT is where, and what they carry. Not there at all on a host without HIP.
import type { Association, HostSnapshot } from '../../../src/control/api/index.ts';
import { age, count, duration } from '../format.ts';
import { FlowCell } from './flow-cell.tsx';
import { Badge, Panel } from './panel.tsx';

/** Through whom whom can be called. */
function rendezvous({ client, server }: Association): string {
  if (client === true) return ', called through us';
  if (server === undefined) return '';
  return server === 'registered' ? ', our rendezvous server' : `, rendezvous ${server}`;
}

function Row({ host, association, many }: { host: HostSnapshot; association: Association; many: boolean }) {
  const { peer, remoteHit, remote, state, attempt, rttMs, lastInboundMsAgo, suite } = association;
  const stands = state === 'ESTABLISHED' || state === 'R2-SENT';
  return (
    <tr class={host.state === 'down' ? 'gone' : ''}>
      <th scope="row">
        <b>
          {many && <span class="of">{host.name} </span>}
          {peer ?? remoteHit}
        </b>
        {peer !== undefined && <small>{remoteHit}</small>}
        <small>
          at {remote}
          {rendezvous(association)}
        </small>
      </th>
      <td data-label="State">
        <Badge tone={stands ? 'good' : 'warn'}>{state}</Badge>
        {attempt !== undefined && <small>called anew, {attempt}</small>}
        {rttMs !== undefined && <small>RTT {duration(rttMs)}</small>}
        {lastInboundMsAgo !== undefined && <small>heard of {age(lastInboundMsAgo)} ago</small>}
      </td>
      <FlowCell flow={association.inbound} label="Received" />
      <FlowCell flow={association.outbound} label="Sent" />
      <td data-label="SPIs" class="spis">
        <code>{association.inboundSpi ?? '–'}</code>
        <code>{association.outboundSpi ?? '–'}</code>
        <small>{suite}</small>
      </td>
    </tr>
  );
}

export function AssociationsPanel({ hosts }: { hosts: readonly HostSnapshot[] }) {
  const rows = hosts.flatMap((host) => host.associations.map((association) => ({ host, association })));
  if (rows.length === 0) return null;
  const all = hosts.reduce((sum, { associationCount }) => sum + associationCount, 0);
  return (
    <Panel
      id="associations"
      title="HIP associations"
      note={all > rows.length ? `${rows.length} of ${count(all)}` : undefined}
    >
      <table class="stacking">
        <thead>
          <tr>
            <th scope="col">Peer</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Received
            </th>
            <th scope="col" class="number">
              Sent
            </th>
            <th scope="col">SPIs in, out</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ host, association }) => (
            <Row
              key={`${host.name} ${association.localHit} ${association.remoteHit}`}
              host={host}
              association={association}
              many={hosts.length > 1}
            />
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
