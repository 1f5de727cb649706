// Child SAs with what they carry now.
import type { HostSnapshot, Tunnel } from '../../../src/control/api/index.ts';
import { age, count } from '../format.ts';
import { FlowCell } from './flow-cell.tsx';
import { Empty, Panel } from './panel.tsx';

function Row({ host, tunnel, many }: { host: HostSnapshot; tunnel: Tunnel; many: boolean }) {
  const down = host.state === 'down';
  return (
    <tr class={down ? 'gone' : ''}>
      <th scope="row">
        <b>
          {many && <span class="of">{host.name} </span>}
          {tunnel.connection === tunnel.child ? tunnel.child : `${tunnel.connection}/${tunnel.child}`}
        </b>
        <small>
          {tunnel.local.join(' ')} ⇄ {tunnel.remote.join(' ')}
        </small>
      </th>
      <FlowCell flow={tunnel.inbound} label="Received" />
      <FlowCell flow={tunnel.outbound} label="Sent" />
      <td data-label="SPIs" class="spis">
        <code>{tunnel.inboundSpi}</code>
        <code>{tunnel.outboundSpi}</code>
      </td>
      <td data-label="Keys">
        <b>{age(tunnel.installedMsAgo)}</b>
        <small>
          {tunnel.suite}
          {tunnel.generation > 0 && `, rekeyed ${count(tunnel.generation)}×`}
        </small>
      </td>
    </tr>
  );
}

export function TunnelsPanel({ hosts }: { hosts: readonly HostSnapshot[] }) {
  const rows = hosts.flatMap((host) => host.tunnels.map((tunnel) => ({ host, tunnel })));
  const all = hosts.reduce((sum, { tunnelCount }) => sum + tunnelCount, 0);
  const connecting = hosts.flatMap((host) => host.connecting.map((one) => ({ host, ...one })));
  return (
    <Panel
      id="tunnels"
      title="Tunnels"
      note={all > rows.length ? `${rows.length} of ${count(all)}` : undefined}
    >
      {rows.length === 0 ? (
        <Empty>No tunnel stands. One comes up with traffic, with its start action, or with wayward up.</Empty>
      ) : (
        <table class="stacking">
          <thead>
            <tr>
              <th scope="col">Tunnel</th>
              <th scope="col" class="number">
                Received
              </th>
              <th scope="col" class="number">
                Sent
              </th>
              <th scope="col">SPIs in, out</th>
              <th scope="col">Keys since</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ host, tunnel }) => (
              <Row
                key={`${host.name} ${tunnel.childId}`}
                host={host}
                tunnel={tunnel}
                many={hosts.length > 1}
              />
            ))}
          </tbody>
        </table>
      )}
      {connecting.length > 0 && (
        <ul class="connecting">
          {connecting.map(({ host, connection, phase, failures }) => (
            <li key={`${host.name} ${connection}`}>
              <span class="spinner" aria-hidden="true" />
              {hosts.length > 1 && `${host.name}: `}
              {connection} is {phase}
              {failures > 0 && `, ${failures} tries failed`}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
